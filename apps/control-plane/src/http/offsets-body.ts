import type { OffsetEntry, SourceOffset, SourcePartition } from '@tributary/connect-api'
import { isObject, objectOf } from './body.ts'
import { restError } from './rest-errors.ts'

/** One element of `{"offsets": […]}`. A null partition is accepted and ignored, as in Connect. */
export interface SentOffset {
  readonly partition: Readonly<Record<string, unknown>> | null
  /** null or absent: the stored offset is removed. */
  readonly offset: Readonly<Record<string, unknown>> | null
}

/** Decodes the body of `PATCH /connectors/{connector}/offsets`. Throws 400 when the list is missing or empty. */
export function decodeOffsets(body: unknown): SentOffset[] {
  const { offsets, ...rest } = objectOf(body, 'The body')
  rejectUnknown(rest, ['offsets'])
  if (offsets === undefined || offsets === null) throw restError('offsetsMissing')
  if (!Array.isArray(offsets)) throw restError('notAnArray', 'The field "offsets"')
  if (offsets.length === 0) throw restError('offsetsMissing')
  return offsets.map((item: unknown) => {
    const { partition, offset, ...others } = objectOf(item, 'An element of "offsets"')
    rejectUnknown(others, ['partition', 'offset'])
    return { partition: mapOrNull(partition, 'partition'), offset: mapOrNull(offset, 'offset') }
  })
}

/** Converts the sent offsets into entries to write. Throws 400 for a nested value; Connect answers 500. */
export function offsetEntries(sent: readonly SentOffset[]): OffsetEntry[] {
  return sent.flatMap(({ partition, offset }): OffsetEntry[] => {
    for (const map of [partition, offset]) assertPrimitive(map ?? {})
    return partition === null
      ? []
      : [{ partition: partition as SourcePartition, offset: offset as SourceOffset | null }]
  })
}

function assertPrimitive(map: Readonly<Record<string, unknown>>): void {
  for (const [field, value] of Object.entries(map)) {
    if (Array.isArray(value)) throw restError('offsetNested', field, 'ARRAY')
    if (isObject(value)) throw restError('offsetNested', field, 'MAP')
    if (typeof value === 'bigint' && BigInt.asIntN(64, value) !== value) throw restError('offsetTooLarge', field)
  }
}

function mapOrNull(value: unknown, what: string): Readonly<Record<string, unknown>> | null {
  return value === undefined || value === null ? null : objectOf(value, `The field "${what}"`)
}

function rejectUnknown(fields: Readonly<Record<string, unknown>>, known: readonly string[]): void {
  for (const field of Object.keys(fields)) throw restError('unknownField', field, known)
}
