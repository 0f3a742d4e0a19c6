import { ConfigError, type FieldError } from '@tributary/connect-api'
import { compileRule, type Rule } from '../rule.ts'
import { shownUrl } from '../settings.ts'
import type { WebSocketConfig } from '../spec.ts'
import { compileField, type Field } from './field.ts'
import { RecordHeaders } from './headers.ts'
import { compileSplit, type Split } from './split.ts'
import type { TimestampUnit } from './timestamp.ts'
import { type TopicTemplate, topicTemplate } from './topic.ts'

/** What the settings make of a message; null for what they do not ask for. */
export interface RecordPlan {
  readonly split: Split | null
  readonly skip: Rule | null
  readonly key: Field | null
  readonly timestamp: Field | null
  readonly timestampUnit: TimestampUnit
  readonly topic: TopicTemplate | null
  readonly headers: RecordHeaders | null
}

/** Throws ConfigError on the setting that does not fit. */
export function planRecord(config: WebSocketConfig, sessionId: string): RecordPlan {
  const { 'split.field': split, 'record.skip.match': skip, 'key.field': key, 'timestamp.field': timestamp } = config
  const headers = config['record.headers']
  return {
    split: split ? compileSplit(split) : null,
    skip: skip ? compileRule(skip, 'record.skip.match') : null,
    key: key ? compileField(key) : null,
    timestamp: timestamp ? compileField(timestamp) : null,
    timestampUnit: config['timestamp.unit'] as TimestampUnit,
    topic: topicTemplate(config),
    headers:
      headers.length > 0 ? new RecordHeaders(headers, { url: shownUrl(config['websocket.url']), sessionId }) : null,
  }
}

/** The settings that can be wrong in a way that no declared check sees. */
const CHECKED_KEYS = ['record.skip.match', 'topic.template'] as const

/** All that would make `planRecord` throw, each on its key. */
export function recordErrors(config: WebSocketConfig): FieldError[] {
  const unset = Object.fromEntries(CHECKED_KEYS.map((key) => [key, null]))
  return CHECKED_KEYS.flatMap((key) => {
    try {
      planRecord({ ...config, ...unset, [key]: config[key] }, '')
      return []
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      return [{ field: key, message: error.message }]
    }
  })
}
