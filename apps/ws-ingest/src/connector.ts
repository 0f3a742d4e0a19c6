import type { FieldError, OffsetEntry, Props, SourceConnector } from '@tributary/connect-api'
import { urlsOf, websocketSpec } from './config/config.ts'
import { checkOffsets, configErrors, tooFewTasks } from './validate.ts'
import { wsErrors } from './errors.ts'

/** One task per URL: a feed cannot be split, so a `tasks.max` above the number of URLs has no effect. */
export class WebSocketSourceConnector implements SourceConnector {
  readonly spec = websocketSpec.data

  /** Feeds store no positions of their readers. */
  readonly offsetsOnlyInKafka = true

  taskConfigs(props: Props, maxTasks: number): Props[] {
    const urls = urlsOf(props)
    if (urls.length > maxTasks) {
      throw wsErrors.WEBSOCKET_TASKS(tooFewTasks(urls.length, maxTasks), { field: 'tasks.max' })
    }
    const { 'websocket.additional.urls': _, ...rest } = props
    return urls.map((url) => ({ ...rest, 'websocket.url': url }))
  }

  validate(props: Props, signal: AbortSignal): Promise<FieldError[]> {
    return configErrors(props, signal)
  }

  /** A feed cannot resend past messages. */
  exactlyOnce(): boolean {
    return false
  }

  checkOffsets(props: Props, offsets: readonly OffsetEntry[], written = props): void {
    checkOffsets(props, offsets, written)
  }
}
