import { createHash } from 'node:crypto'
import { type SequenceNumber, sequenceNumber } from '@tributary/push-source'
import type { LastNumber } from './streams.ts'

/** What one run of a task hands over to the next, in addition to the offsets. */
export interface HandOverState {
  /** Identify the fields from which numbers and ids were read. A run that reads other fields ignores them. */
  readonly numberSpace: string
  readonly idSpace: string
  /** `sequence` of the last record. */
  readonly sequence: number
  /** End of the run's last connection, in ms since the epoch; null in the state of an earlier release. */
  readonly endedAt: number | null
  /** Last numbers by stream, including messages that made no record and so have no offset. */
  readonly last: ReadonlyMap<string | null, LastNumber>
  /** Digests of the latest ids. */
  readonly ids: ReadonlySet<string>
}

/**
 * Limits in bytes of JSON. The contract allows 64 KiB, part of which the other fields need. Ids get what streams leave.
 */
const MAX_BYTES = 63 * 1024
const MAX_STREAM_BYTES = 24 * 1024
/** Streams within these bytes are written with their digests. */
const MAX_DIGEST_BYTES = 8 * 1024

/** Characters of an id's digest: 60 bits, so that a collision among a million ids is unlikely. */
const DIGEST_LENGTH = 10

/** The complete state, before it is cut to size. */
export interface HandOverContent extends Pick<HandOverState, 'numberSpace' | 'idSpace' | 'sequence'> {
  readonly endedAt: number
  /** Streams with their last numbers and the digests of their latest messages; the most recent streams last. */
  readonly last: readonly (readonly [stream: string | null, last: SequenceNumber, digests: string])[]
  /** The latest ids first. */
  readonly ids: readonly (string | number)[]
}

/** Serializes the state. Streams that were silent longest and the oldest ids are left out if they do not fit. */
export function writeHandOverState({ numberSpace, idSpace, sequence, endedAt, last, ids }: HandOverContent): string {
  const entries: [string | null, string, string?][] = []
  let streamBytes = 0
  for (const [stream, number, text] of last.toReversed()) {
    // The digests of an offset serve as well where it has the same number.
    const digests = streamBytes + text.length < MAX_DIGEST_BYTES ? [text] : []
    const entry: [string | null, string, string?] = [stream, String(number), ...(digests as [string?])]
    const bytes = Buffer.byteLength(JSON.stringify(entry)) + 1
    if (streamBytes + bytes > MAX_STREAM_BYTES) break
    streamBytes += bytes
    entries.push(entry)
  }
  const digests = ids.slice(0, Math.floor((MAX_BYTES - streamBytes) / DIGEST_LENGTH)).map(idDigest)
  return JSON.stringify({ version: 1, numberSpace, idSpace, sequence, endedAt, last: entries, ids: digests.join('') })
}

/** Parses a hand-over state; null for another version, which another release may have written. */
export function readHandOverState(text: string): HandOverState | null {
  let state: unknown
  try {
    state = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return null
  }
  if (!isStoredState(state)) return null
  const last = new Map<string | null, LastNumber>()
  for (const [stream, number, digests = ''] of state.last) {
    const value = sequenceNumber(number)
    if (value !== null) last.set(stream, { last: value, digests })
  }
  const ids = new Set<string>()
  for (let at = 0; at < state.ids.length; at += DIGEST_LENGTH) ids.add(state.ids.slice(at, at + DIGEST_LENGTH))
  const { numberSpace, idSpace, sequence, endedAt = null } = state
  return { numberSpace, idSpace, sequence, endedAt, last, ids }
}

/** The digest of an id in the hand-over state. */
export function idDigest(id: string | number): string {
  return createHash('sha256')
    .update(`${typeof id}:${id}`)
    .digest('base64url')
    .slice(0, DIGEST_LENGTH)
}

/** The digest of an id that is too long to be remembered: 43 characters. */
export function longIdDigest(id: string): string {
  return createHash('sha256').update(id).digest('base64url')
}

/** A short digest of a list of values. */
export function digestOf(parts: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16)
}

interface StoredState {
  readonly numberSpace: string
  readonly idSpace: string
  readonly sequence: number
  readonly endedAt?: number
  readonly last: readonly [string | null, string, string?][]
  readonly ids: string
}

function isStoredState(value: unknown): value is StoredState {
  if (typeof value !== 'object' || value === null) return false
  const state = value as Partial<Record<keyof StoredState | 'version', unknown>>
  return (
    state.version === 1 &&
    typeof state.numberSpace === 'string' &&
    typeof state.idSpace === 'string' &&
    typeof state.sequence === 'number' &&
    (state.endedAt === undefined || typeof state.endedAt === 'number') &&
    typeof state.ids === 'string' &&
    Array.isArray(state.last) &&
    state.last.every((entry) => Array.isArray(entry) && (entry.length === 2 || entry.length === 3))
  )
}
