import { ERROR_TYPES } from '@tributary/connect-api'
import { LETTER_EVENT_KINDS, LETTER_STATUSES, REPLAY_STATES } from '@tributary/connect-storage'
import type { JsonSchema } from './resource.ts'
import { flag, listOf, mapOf, number, object, text, textOrNull, whole } from './schema-parts.ts'

/** The schemas of answers and bodies about dead letters. */

const iso: JsonSchema = { type: ['string', 'null'], description: 'ISO 8601, in UTC' }
const wholeOrNull: JsonSchema = { type: ['integer', 'null'] }
const listOrNull: JsonSchema = { type: ['array', 'null'] }

const letter = {
  dlq_id: { type: 'string', description: 'A UUID, the same from every replica' },
  source_table: { type: ['string', 'null'], description: 'The topic for which the record was meant' },
  error_type: { enum: ERROR_TYPES },
  error_message: text,
  retry_count: { type: 'integer', description: 'Replays in which the record failed again' },
  first_failed_at: iso,
  last_retry_at: iso,
  dlq_timestamp: iso,
  resolution_status: { enum: LETTER_STATUSES },
  resolution_notes: textOrNull,
  resolved_at: iso,
  resolved_by: textOrNull,
  original_event_summary: object({ event_id: textOrNull, operation: textOrNull, partition_key: textOrNull }),
  connector: textOrNull,
  task: wholeOrNull,
  topic: { type: 'string', description: 'The dead-letter topic' },
  partition: whole,
  offset: text,
  original_topic: textOrNull,
  original_partition: wholeOrNull,
  original_offset: textOrNull,
  stage: textOrNull,
  class_name: textOrNull,
  trace_id: textOrNull,
  timestamp: { ...iso, description: 'Of the record' },
  key_size: wholeOrNull,
  value_size: wholeOrNull,
  value_cut: { type: 'boolean', description: 'The letter holds the beginning of a value that was too large' },
  last_replay_id: textOrNull,
}

const bytes: JsonSchema = {
  ...object({
    size: whole,
    format: { enum: ['json', 'text', 'schema', 'binary'], description: 'schema: framed with the id of a schema' },
    'schema_id?': whole,
    'text?': { type: 'string', description: 'Of bytes that are UTF-8' },
    'json?': { description: 'The value, if the text is JSON' },
    base64: text,
  }),
  type: ['object', 'null'],
}

const letters = {
  'dlq_ids?': { ...listOf(text), description: 'At most 1,000' },
  'ids?': listOf(text),
  'connector?': {},
  'topic?': {},
  'table?': {},
  'original_topic?': {},
  'error_type?': {},
  'status?': {},
  'resolution_status?': {},
  'start_date?': {},
  'end_date?': {},
  'text?': text,
  'limit?': { description: 'Most letters: 1 to 1,000,000; 1,000 by default' },
  'resolution_notes?': text,
  'notes?': text,
}

const replay = {
  replay_id: text,
  status: { enum: REPLAY_STATES },
  dlq_ids_count: { type: 'integer', description: 'Letters of the replay' },
  retry_strategy: { enum: ['immediate', 'scheduled', 'rate_limited'] },
  created_at: iso,
  created_by: text,
  scheduled_time: iso,
  started_at: iso,
  completed_at: iso,
  duration_seconds: { type: ['number', 'null'] },
  progress: object({ processed: whole, remaining: whole, percent_complete: number }),
  results: object({ success: whole, failed: whole, skipped: whole }),
  failed_events: {
    ...listOf(
      object({ dlq_id: text, topic: text, partition: whole, offset: text, error_type: text, error_message: text }),
    ),
    description: 'The first 100',
  },
  waiting_for: { type: ['string', 'null'], description: 'Why the replay does not go on at present' },
  estimated_completion_time: iso,
  rate: { type: ['number', 'null'], description: 'Letters a second; null: no limit' },
  target_topic: textOrNull,
  edits: listOf({ type: 'object' }),
  force: flag,
  filter: object({
    ...{ dlq_ids: listOrNull, connector: listOrNull, topic: listOrNull, table: listOrNull, error_type: listOrNull },
    ...{ status: listOrNull, start_date: iso, end_date: iso, text: textOrNull, limit: whole },
  }),
  resolution_notes: textOrNull,
  cancelled_by: textOrNull,
}

export const DLQ_SCHEMAS = {
  DeadLetters: object({
    ...{ total_count: whole, total: whole, limit: whole, offset: whole },
    records: listOf(object(letter)),
    pagination: object({ next_offset: wholeOrNull, has_more: flag, next_cursor: textOrNull }),
  }),
  DeadLetter: object({
    ...letter,
    key: bytes,
    value: bytes,
    headers: listOf(object({ name: text, value: bytes })),
    exception_class: textOrNull,
    stack_trace: textOrNull,
    history: listOf(
      object({
        ...{ event_id: text, at: iso, by: text, kind: { enum: LETTER_EVENT_KINDS }, replay_id: textOrNull },
        ...{ notes: textOrNull, error_type: textOrNull, error_message: textOrNull },
      }),
    ),
  }),
  DeadLetterStats: object({
    total_records: whole,
    by_error_type: mapOf(whole),
    by_resolution_status: mapOf(whole),
    by_table: mapOf(whole),
    by_connector: mapOf(whole),
    by_topic: mapOf(whole),
  }),
  StartReplay: object({
    ...letters,
    'retry_strategy?': { type: 'string', description: 'immediate (default), scheduled or rate_limited' },
    'scheduled_time?': {},
    'rate?': { description: 'Letters a second for rate_limited; 100 by default' },
    'target_topic?': { type: 'string', description: 'In place of the topic that each record would get' },
    'transform_rules?': {
      ...listOf({ type: 'object' }),
      description: 'Changes of the value: {field, operation: cast, mask or replace, value}',
    },
    'edits?': listOf({ type: 'object' }),
    'dry_run?': { type: 'boolean', description: 'Show what would be written, and write nothing' },
    'force?': { type: 'boolean', description: 'Also letters that were resolved, quarantined or superseded' },
  }),
  ChangeDeadLetters: object(letters),
  ReplayStarted: object({
    replay_id: text,
    status: { enum: REPLAY_STATES },
    dlq_ids_count: whole,
    estimated_completion_time: iso,
    retry_strategy: text,
    message: text,
  }),
  Replay: object(replay),
  Replays: object({ replays: listOf(object(replay)), total: whole }),
  ReplayDryRun: object({
    dry_run: flag,
    dlq_ids_count: { type: 'integer', description: 'Letters that the replay would take' },
    results: mapOf(whole),
    records: {
      ...listOf(
        object({
          dlq_id: text,
          connector: textOrNull,
          outcome: { enum: ['would_write', 'filtered', 'superseded', 'failed', 'gone', 'later', 'quarantined'] },
          'record?': { type: 'object', description: 'For callers who may read records' },
          'error_type?': text,
          'error_message?': text,
        }),
      ),
      description: 'The first 100',
    },
  }),
  ChangedDeadLetters: object({ count: whole, message: text }),
} as const satisfies Record<string, JsonSchema>
