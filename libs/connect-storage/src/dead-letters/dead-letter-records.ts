import { ERROR_TYPES, type ReplayEdit } from '@tributary/connect-api'
import { jsonBytes } from '../connect-json.ts'
import { boundedJson } from '../schema/checks.ts'
import { LIMITS } from '../schema/limits.ts'
import { flag, list, oneOf, record, type Shape, shape, text, wrong } from '../schema/shape.ts'
import type { StoreRecord } from '../types.ts'
import {
  LETTER_EVENT_KINDS,
  LETTER_STATUSES,
  type LetterEvent,
  type LetterSet,
  type Replay,
  REPLAY_STATES,
  type ReplayChunk,
} from './types.ts'

/**
 * The records of the topic of dead letters. Keys: `topic:<name>`, `replay:<id>`, `letters:<replay>:<number>` and `event:<id>`.
 * Every reader parses with these shapes, so that no record can hurt it.
 */

/** What one record says; value null: a tombstone. Other keys are left alone. */
export type DeadLetterRecord =
  | { readonly kind: 'topic'; readonly name: string; readonly value: true | null }
  | { readonly kind: 'replay'; readonly id: string; readonly value: Replay | null }
  | { readonly kind: 'letters'; readonly replay: string; readonly number: number; readonly value: ReplayChunk | null }
  | { readonly kind: 'event'; readonly id: string; readonly value: LetterEvent | null }

/** Runs of one record. Each has three brackets and commas, of which a record may have `LIMITS.members`. */
export const MAX_RUNS = 5000
/** Letters of one record. */
export const MAX_LETTERS = 10_000

const TOPIC = /^[a-zA-Z0-9._-]{1,249}$/
const ID = /^[0-9A-Za-z-]{1,64}$/
const MAX_CHUNKS = 1_000_000

const name = text(LIMITS.nameChars)
const topic = text(249, TOPIC)
const id = text(64, ID)
const words = text(4000)
const whole: Shape<number> = (value, at) =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : wrong(at, 'a whole number')
const rate: Shape<number> = (value, at) =>
  typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : wrong(at, 'a number above 0')
const orNull =
  <T>(of: Shape<T>): Shape<T | null> =>
  (value, at) =>
    value === null ? null : of(value, at)

const run: Shape<readonly [number, number]> = (value, at) => {
  if (!Array.isArray(value) || value.length !== 2) wrong(at, 'a pair')
  const [first, count] = value as unknown[]
  if (whole(count, at) < 1 || (count as number) > MAX_LETTERS) wrong(at, `a run of 1 to ${MAX_LETTERS}`)
  return [whole(first, at), count as number]
}
const partitionDigits = text(10, /^\d{1,10}$/)
const letters: Shape<LetterSet> = record(topic, record(partitionDigits, list(run, MAX_RUNS), MAX_RUNS), MAX_RUNS)

const errorType = oneOf(ERROR_TYPES)
const eventShape = shape(
  { at: whole, by: name, kind: oneOf(LETTER_EVENT_KINDS), letters },
  { replay: id, notes: words, error: shape({ type: errorType, message: words }, {}) },
)
const chunkShape = shape({ at: whole, by: name, connector: orNull(name), task: orNull(whole), letters }, {})

const CASTS = ['int', 'long', 'double', 'boolean', 'string'] as const
const edit: Shape<ReplayEdit> = (value, at) => {
  const field = text(1000)
  switch ((value as { operation?: unknown } | null)?.operation) {
    case 'cast':
      return shape({ field, operation: oneOf(['cast']), value: oneOf(CASTS) }, {})(value, at)
    case 'mask':
      return shape({ field, operation: oneOf(['mask']) }, { value: words })(value, at)
    case 'replace':
      return shape({ field, operation: oneOf(['replace']), value: (any: unknown) => any }, {})(value, at)
    default:
      return wrong(at, 'an edit')
  }
}

const many = LIMITS.members
const choice = shape(
  {
    ids: orNull(list(id, 1000)),
    connectors: orNull(list(orNull(name), many)),
    topics: orNull(list(topic, many)),
    originalTopics: orNull(list(name, many)),
    errorTypes: orNull(list(errorType, ERROR_TYPES.length)),
    statuses: orNull(list(oneOf(LETTER_STATUSES), 20)),
    from: orNull(whole),
    to: orNull(whole),
    text: orNull(words),
    inPayload: flag,
    limit: whole,
  },
  {},
)
const results = shape({ success: whole, failed: whole, skipped: whole }, {})
const failure = shape({ id, topic, partition: whole, offset: text(20, /^\d+$/), type: errorType, message: words }, {})
const replayShape = shape(
  {
    at: whole,
    by: name,
    state: oneOf(REPLAY_STATES),
    choice,
    strategy: oneOf(['immediate', 'scheduled', 'rate_limited']),
    scheduledAt: orNull(whole),
    rate: orNull(rate),
    targetTopic: orNull(topic),
    edits: list(edit, 100),
    force: flag,
    notes: orNull(words),
    connector: orNull(name),
    count: whole,
    chosen: flag,
    startedAt: orNull(whole),
    completedAt: orNull(whole),
    waitingFor: orNull(words),
    cancelledBy: orNull(name),
    results: orNull(results),
    failures: list(failure, 100),
  },
  {},
)

/** null: a record of another kind. Throws Error, which says what is wrong and shows nothing of the value. */
export function readDeadLetterRecord(key: string, value: Uint8Array | null): DeadLetterRecord | null {
  const colon = key.indexOf(':')
  const rest = key.slice(colon + 1)
  const parsed = value === null ? null : boundedJson(value)
  switch (key.slice(0, Math.max(colon, 0))) {
    case 'topic':
      topic(rest, 'the key')
      return { kind: 'topic', name: rest, value: parsed === null ? null : true }
    case 'replay':
      id(rest, 'the key')
      return {
        kind: 'replay',
        id: rest,
        value: parsed === null ? null : { id: rest, ...replayShape(parsed, 'the value') },
      }
    case 'letters': {
      const [, replay = '', digits = ''] =
        /^([0-9A-Za-z-]{1,64}):(\d{1,7})$/.exec(rest) ?? wrong('the key', 'of a chunk')
      const number = Number(digits)
      if (number >= MAX_CHUNKS) wrong('the key', 'of a chunk')
      return {
        ...{ kind: 'letters', replay, number },
        value: parsed === null ? null : { replay, number, ...chunkShape(parsed, 'the value') },
      }
    }
    case 'event':
      id(rest, 'the key')
      return {
        kind: 'event',
        id: rest,
        value: parsed === null ? null : { id: rest, ...eventShape(parsed, 'the value') },
      }
    default:
      return null
  }
}

export function topicRecord(name: string, followed: boolean): StoreRecord {
  return { key: `topic:${name}`, value: followed ? jsonBytes({}) : null }
}

export function replayRecord({ id, ...fields }: Replay): StoreRecord {
  return { key: `replay:${id}`, value: jsonBytes(fields) }
}

export function chunkRecord({ replay, number, ...fields }: ReplayChunk): StoreRecord {
  return { key: chunkKey(replay, number), value: jsonBytes(fields) }
}

export function chunkKey(replay: string, number: number): string {
  return `letters:${replay}:${number}`
}

export function eventRecord({ id, ...fields }: LetterEvent): StoreRecord {
  return { key: `event:${id}`, value: jsonBytes(fields) }
}
