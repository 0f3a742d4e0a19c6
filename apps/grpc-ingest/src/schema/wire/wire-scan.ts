import { decodeError, END_GROUP, I32, I64, LEN, MAX_DEPTH, START_GROUP, tooDeep, truncated, VARINT } from './wire.ts'

/**
 * The functions that generated scanners call besides their inlined cases. Each skips something that starts at `at` and
 * returns where it ends. An end after `end` throws, or is returned and the caller must compare. `scan` holds second
 * results, so that no object is needed.
 */
export const scan = { tag: 0, groupEnd: 0 }

/** A tag of more than two bytes. */
export function longTag(buf: Uint8Array, at: number, end: number): number {
  const after = skipVarint(buf, at, end)
  scan.tag = varint32(buf, at) >>> 0
  return after
}

export function skipVarint(buf: Uint8Array, at: number, end: number): number {
  const last = Math.min(end, at + 10)
  for (let i = at; i < last; i++) if (buf[i]! < 0x80) return i + 1
  throw last === end ? truncated() : decodeError('a varint of more than 10 bytes')
}

/** Skips a length and as many bytes. */
export function skipChunk(buf: Uint8Array, at: number, end: number): number {
  const start = skipVarint(buf, at, end)
  const length = varint32(buf, at) >>> 0
  if (length > end - start) throw truncated()
  return start + length
}

/** Skips the value of an unknown field, after its tag. `depth`: the number of messages around it. */
export function skipUnknown(buf: Uint8Array, at: number, end: number, tag: number, depth: number): number {
  if (tag >>> 3 === 0) throw decodeError('field number 0')
  switch (tag & 7) {
    case VARINT:
      return skipVarint(buf, at, end)
    case I64:
      return at + 8
    case LEN:
      return skipChunk(buf, at, end)
    case START_GROUP:
      return skipGroup(buf, at, end, tag >>> 3, depth + 1)
    case I32:
      return at + 4
    case END_GROUP:
      throw decodeError('a group ends that did not start')
    default:
      throw decodeError(`wire type ${tag & 7}`)
  }
}

/** Skips the content and the end tag of a group. `scan.groupEnd` is the end of the content. */
export function skipGroup(buf: Uint8Array, at: number, end: number, number: number, depth: number): number {
  if (depth > MAX_DEPTH) throw tooDeep()
  for (;;) {
    const start = at
    if (at >= end) throw truncated()
    at = skipVarint(buf, at, end)
    const tag = varint32(buf, start) >>> 0
    if ((tag & 7) === END_GROUP) {
      if (tag >>> 3 !== number) throw decodeError('a group ends with the tag of another')
      scan.groupEnd = start
      return at
    }
    at = skipUnknown(buf, at, end, tag, depth)
  }
}

/** The low 32 bits, signed, of a varint that is known to be complete. */
export function varint32(buf: Uint8Array, at: number): number {
  let byte = buf[at]!
  if (byte < 0x80) return byte
  let value = byte & 0x7f
  byte = buf[at + 1]!
  value |= (byte & 0x7f) << 7
  if (byte < 0x80) return value
  byte = buf[at + 2]!
  value |= (byte & 0x7f) << 14
  if (byte < 0x80) return value
  byte = buf[at + 3]!
  value |= (byte & 0x7f) << 21
  if (byte < 0x80) return value
  return value | (buf[at + 4]! << 28)
}

/** The start of the chunk whose length stands at `at`; the length was checked before. */
export function chunkStart(buf: Uint8Array, at: number): number {
  while (buf[at]! >= 0x80) at++
  return at + 1
}

/** Adds another occurrence of a singular message: `[from, to, …]` of the second and later ones. */
export function addRange(ranges: number[] | null, from: number, to: number): number[] {
  if (!ranges) return [from, to]
  ranges.push(from, to)
  return ranges
}

export function addPosition(positions: number[] | null, position: number): number[] {
  if (!positions) return [position]
  positions.push(position)
  return positions
}

/** Throws unless a packed chunk, with its length at `at` and its end at `end`, consists of complete varints. */
export function checkVarints(buf: Uint8Array, at: number, end: number): void {
  for (let i = chunkStart(buf, at); i < end;) i = skipVarint(buf, i, end)
}
