import { createHash } from 'node:crypto'
import { type SequenceNumber, sequenceNumber } from '@tributary/push-source'

/** What one run of a task leaves to the next beside the offsets. */
export interface Memo {
  /** What the numbers, and what the ids belong to; a run that reads others has no use for them. */
  readonly numberSpace: string
  readonly idSpace: string
  /** `sequence` of the last record. */
  readonly sequence: number
  /** Last numbers by stream: also of messages that made no record, and so have no offset. */
  readonly last: ReadonlyMap<string | null, SequenceNumber>
  /** Digests of the latest ids. */
  readonly ids: ReadonlySet<string>
}

/** Bytes of JSON. The contract allows 64 KiB; the rest is for the frame around both. What the streams leave is for the ids. */
const MAX_BYTES = 63 * 1024
const MAX_STREAM_BYTES = 24 * 1024

/** Characters of an id's digest: 60 bits, so that of a million ids none is likely to be taken for another. */
const DIGEST_LENGTH = 10

/** What there is to write, in full. */
export interface MemoParts extends Pick<Memo, 'numberSpace' | 'idSpace' | 'sequence'> {
  /** The latest streams last. */
  readonly last: readonly (readonly [string | null, SequenceNumber])[]
  /** The latest first. */
  readonly ids: readonly (string | number)[]
}

/** What does not fit is left out: streams that were silent for long, old ids. */
export function writeMemo({ numberSpace, idSpace, sequence, last, ids }: MemoParts): string {
  const entries: [string | null, string][] = []
  let streamBytes = 0
  for (const [stream, number] of last.toReversed()) {
    const entry: [string | null, string] = [stream, String(number)]
    const bytes = Buffer.byteLength(JSON.stringify(entry)) + 1
    if (streamBytes + bytes > MAX_STREAM_BYTES) break
    streamBytes += bytes
    entries.push(entry)
  }
  const digests = ids.slice(0, Math.floor((MAX_BYTES - streamBytes) / DIGEST_LENGTH)).map(idDigest)
  return JSON.stringify({ version: 1, numberSpace, idSpace, sequence, last: entries, ids: digests.join('') })
}

/** null for what is no memo of this version: it may come from a release that writes another. */
export function readMemo(text: string): Memo | null {
  let memo: unknown
  try {
    memo = JSON.parse(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return null
  }
  if (!isMemo(memo)) return null
  const last = new Map<string | null, SequenceNumber>()
  for (const [stream, number] of memo.last) {
    const value = sequenceNumber(number)
    if (value !== null) last.set(stream, value)
  }
  const ids = new Set<string>()
  for (let at = 0; at < memo.ids.length; at += DIGEST_LENGTH) ids.add(memo.ids.slice(at, at + DIGEST_LENGTH))
  const { numberSpace, idSpace, sequence } = memo
  return { numberSpace, idSpace, sequence, last, ids }
}

/** As it stands in a memo. */
export function idDigest(id: string | number): string {
  return createHash('sha256')
    .update(`${typeof id}:${id}`)
    .digest('base64url')
    .slice(0, DIGEST_LENGTH)
}

/** A short name for a list of values. */
export function digestOf(parts: readonly (string | null)[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url').slice(0, 16)
}

interface WrittenMemo {
  readonly numberSpace: string
  readonly idSpace: string
  readonly sequence: number
  readonly last: readonly [string | null, string][]
  readonly ids: string
}

function isMemo(value: unknown): value is WrittenMemo {
  if (typeof value !== 'object' || value === null) return false
  const memo = value as Partial<Record<keyof WrittenMemo | 'version', unknown>>
  return (
    memo.version === 1 &&
    typeof memo.numberSpace === 'string' &&
    typeof memo.idSpace === 'string' &&
    typeof memo.sequence === 'number' &&
    typeof memo.ids === 'string' &&
    Array.isArray(memo.last) &&
    memo.last.every((entry) => Array.isArray(entry) && entry.length === 2)
  )
}
