import {
  ConfigError,
  type FieldError,
  type OffsetEntry,
  type Props,
  type SourceConnector,
} from '@tributary/connect-api'
import { checkOffsets } from './check-offsets.ts'
import { recordErrors } from './record/record-plan.ts'
import { backfillErrors } from './sequence/backfill.ts'
import { planSession } from './session/session-plan.ts'
import { parseConfig, urlsOf } from './settings.ts'
import { type WebSocketConfig, websocketSpec } from './spec.ts'
import { connectionErrors } from './validate.ts'

/** One task for each URL: a feed cannot be split, and `tasks.max` above the number of URLs changes nothing. */
export class WebSocketSourceConnector implements SourceConnector {
  readonly spec = websocketSpec.data

  /** No feed keeps where a reader stands. */
  readonly allOffsetsHere = true

  taskConfigs(props: Props, maxTasks: number): Props[] {
    const urls = urlsOf(props)
    if (urls.length > maxTasks) {
      throw new ConfigError('WEBSOCKET_TASKS', tooFewTasks(urls.length, maxTasks), { field: 'tasks.max' })
    }
    const { 'websocket.additional.urls': _, ...rest } = props
    return urls.map((url) => ({ ...rest, 'websocket.url': url }))
  }

  async validate(props: Props, signal: AbortSignal): Promise<FieldError[]> {
    const config = parseConfig(props)
    const errors = [
      ...urlErrors(props),
      ...sessionErrors(config, props),
      ...recordErrors(config),
      ...backfillErrors(config),
    ]
    return [...errors, ...(await connectionErrors(config, props, signal))]
  }

  /** A feed cannot be asked for what it sent before. */
  exactlyOnce(): boolean {
    return false
  }

  checkOffsets(props: Props, offsets: readonly OffsetEntry[]): void {
    checkOffsets(props, offsets)
  }
}

/** What the declared checks cannot tell of the URLs: whether each has a task, and offsets, of its own. */
function urlErrors(props: Props): FieldError[] {
  const urls = urlsOf(props)
  const errors: FieldError[] = []
  const maxTasks = Number(props['tasks.max'] ?? 1)
  if (urls.length > maxTasks) errors.push({ field: 'tasks.max', message: tooFewTasks(urls.length, maxTasks) })
  if (new Set(urls).size < urls.length) {
    const field = 'websocket.additional.urls'
    errors.push({ field, message: `Invalid value [hidden] for configuration ${field}: a URL is there twice` })
  }
  return errors
}

function sessionErrors(config: WebSocketConfig, props: Props): FieldError[] {
  const errors: FieldError[] = []
  planSession(config, props, ({ field, message }) => errors.push({ field: field ?? 'websocket.url', message }))
  return errors
}

function tooFewTasks(urls: number, maxTasks: number): string {
  return `Invalid value ${maxTasks} for configuration tasks.max: each of the ${urls} URLs is a task, so it must be at least ${urls}`
}
