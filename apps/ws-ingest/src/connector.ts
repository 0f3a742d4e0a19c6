import type { Props, SourceConnector } from '@tributary/connect-api'
import { urlsOf } from './settings.ts'
import { websocketSpec } from './spec.ts'

/** One task for each URL: a feed cannot be split. */
export class WebSocketSourceConnector implements SourceConnector {
  readonly spec = websocketSpec.data

  taskConfigs(props: Props, maxTasks: number): Props[] {
    const { 'websocket.additional.urls': _, ...rest } = props
    return urlsOf(props)
      .slice(0, maxTasks)
      .map((url) => ({ ...rest, 'websocket.url': url }))
  }
}
