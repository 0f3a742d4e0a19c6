import type { MessageType } from '../model/model.ts'
import { chunkStart, skipVarint, varint32 } from '../wire/wire-scan.ts'
import { LEN, WireReader, wireTypeOf } from '../wire/wire.ts'
import { output, reserve } from './output.ts'
import { putBase64, putString } from './string.ts'
import { type EnumTexts, hasEnum, putEnum, type PutValue } from './value.ts'

/**
 * Writes a message as one JSON value at `pos` and returns the position after it. The content of the message lies
 * between two positions; `more` (`[from, to, …]`) has the ranges of further occurrences. Makes its own room.
 */
export type WriteMessage = (
  buf: Uint8Array,
  start: number,
  end: number,
  more: readonly number[] | null,
  pos: number,
  depth: number,
) => number

/** The writer of a message type. It is compiled at its first call, so that types can refer to each other. */
export interface MessageWriter {
  write: WriteMessage
}

/**
 * Writers of repeated fields. `list` has the positions of the elements: a position for a single element, its complement
 * (~) for a packed chunk. Each writer writes `[a,b]`, makes its own room, and returns `pos` unchanged when there is no
 * element. A comma is written before each element; the first comma becomes the bracket.
 */

const COMMA = 44
const OPEN = 91
const CLOSE = 93

function closeList(start: number, pos: number, open = OPEN, close = CLOSE): number {
  if (pos === start) return pos
  output.buf[start] = open
  reserve(pos, 1)
  output.buf[pos] = close
  return pos + 1
}

/** Scalars. `size` is 4 or 8 for fixed ones, 0 for varints. */
export function putScalars(
  buf: Uint8Array,
  list: readonly number[],
  put: PutValue,
  size: number,
  start: number,
): number {
  let pos = start
  for (const entry of list) {
    let at = entry >= 0 ? entry : chunkStart(buf, ~entry)
    const end = entry >= 0 ? at + 1 : at + (varint32(buf, ~entry) >>> 0)
    while (at < end) {
      reserve(pos, 34)
      output.buf[pos] = COMMA
      pos = put(buf, at, pos + 1)
      at = size > 0 ? at + size : skipVarint(buf, at, entry >= 0 ? at + 10 : end)
    }
  }
  return closeList(start, pos)
}

/** Enums, of at most `size` bytes each. Values of a closed enum without a name are left out. */
export function putEnums(
  buf: Uint8Array,
  list: readonly number[],
  texts: EnumTexts,
  closed: boolean,
  size: number,
  start: number,
): number {
  let pos = start
  for (const entry of list) {
    let at = entry >= 0 ? entry : chunkStart(buf, ~entry)
    const end = entry >= 0 ? at + 1 : at + (varint32(buf, ~entry) >>> 0)
    while (at < end) {
      const number = varint32(buf, at)
      at = skipVarint(buf, at, entry >= 0 ? at + 10 : end)
      if (closed && !hasEnum(texts, number)) continue
      reserve(pos, size + 1)
      output.buf[pos] = COMMA
      pos = putEnum(texts, number, pos + 1)
    }
  }
  return closeList(start, pos)
}

export function putStrings(buf: Uint8Array, list: readonly number[], strict: boolean, start: number): number {
  let pos = start
  for (const entry of list) {
    const at = chunkStart(buf, entry)
    reserve(pos, 1)
    output.buf[pos] = COMMA
    pos = putString(buf, at, at + (varint32(buf, entry) >>> 0), strict, pos + 1)
  }
  return closeList(start, pos)
}

export function putByteStrings(buf: Uint8Array, list: readonly number[], start: number): number {
  let pos = start
  for (const entry of list) {
    const at = chunkStart(buf, entry)
    reserve(pos, 1)
    output.buf[pos] = COMMA
    pos = putBase64(buf, at, at + (varint32(buf, entry) >>> 0), pos + 1)
  }
  return closeList(start, pos)
}

export function putMessages(
  buf: Uint8Array,
  list: readonly number[],
  writer: MessageWriter,
  depth: number,
  start: number,
): number {
  let pos = start
  for (const entry of list) {
    const at = chunkStart(buf, entry)
    reserve(pos, 1)
    output.buf[pos] = COMMA
    pos = writer.write(buf, at, at + (varint32(buf, entry) >>> 0), null, pos + 1, depth)
  }
  return closeList(start, pos)
}

/** Groups. `list` has the start and the end of the content of each. */
export function putGroups(
  buf: Uint8Array,
  list: readonly number[],
  writer: MessageWriter,
  depth: number,
  start: number,
): number {
  let pos = start
  for (let i = 0; i < list.length; i += 2) {
    reserve(pos, 1)
    output.buf[pos] = COMMA
    pos = writer.write(buf, list[i]!, list[i + 1]!, null, pos + 1, depth)
  }
  return closeList(start, pos)
}

/**
 * Reads a text that distinguishes the keys of a map, from the content of an entry; see `mapKeyReader`. Null: the value
 * is a number that its closed enum does not have, so the entry counts as unknown (protobuf documentation, "Enum
 * Behavior").
 */
export type ReadKey = (buf: Uint8Array, start: number, end: number) => string | null

/**
 * Entries, each written by `writer` as `"key":value`. The last of several entries with the same key counts. `closed`:
 * the values are of a closed enum.
 */
export function putMap(
  buf: Uint8Array,
  list: readonly number[],
  writer: MessageWriter,
  readKey: ReadKey,
  closed: boolean,
  depth: number,
  start: number,
): number {
  let pos = start
  for (const entry of list.length > 1 || closed ? lastOfEachKey(buf, list, readKey) : list) {
    const at = chunkStart(buf, entry)
    reserve(pos, 1)
    output.buf[pos] = COMMA
    pos = writer.write(buf, at, at + (varint32(buf, entry) >>> 0), null, pos + 1, depth)
  }
  return closeList(start, pos, 123, 125)
}

function lastOfEachKey(buf: Uint8Array, list: readonly number[], readKey: ReadKey): Iterable<number> {
  const byKey = new Map<string, number>()
  for (const entry of list) {
    const at = chunkStart(buf, entry)
    const key = readKey(buf, at, at + (varint32(buf, entry) >>> 0))
    if (key !== null) byKey.set(key, entry)
  }
  return byKey.values()
}

/** Closes an object: `{"a":1}` from the fields `,"a":1` that stand from `start` on, `{}` from nothing. */
export function closeObject(start: number, pos: number): number {
  reserve(pos, 2)
  if (pos === start) output.buf[pos++] = 123
  else output.buf[start] = 123
  output.buf[pos] = 125
  return pos + 1
}

/** Creates the ReadKey of a map. It is called only for maps with two entries or more, or with a closed enum. */
export function mapKeyReader(entry: MessageType): ReadKey {
  const key = entry.fields[0]!
  const wireType = wireTypeOf(key.type)
  const tag = key.number * 8 + wireType
  const narrow = key.type.endsWith('32')
  const { number, closed, enumType } = entry.fields[1]!
  const enumTag = closed ? number * 8 : 0
  return (buf, start, end) => {
    const reader = new WireReader(buf, start, end)
    let value = wireType === LEN ? '' : '0'
    let known = true
    while (reader.more) {
      const next = reader.tag()
      if (next === enumTag) {
        known = enumType!.nameOf.has(reader.uint32() | 0) && known
      } else if (next !== tag) {
        reader.skip(next)
      } else if (wireType === LEN) {
        const view = reader.view()
        value = Buffer.from(view.buffer, view.byteOffset, view.length).toString('latin1')
      } else if (key.type === 'bool') {
        value = reader.uint64() === 0n ? '0' : '1'
      } else if (wireType === 0) {
        value = narrow ? String(reader.uint32()) : String(reader.uint64())
      } else {
        value = narrow ? String(reader.fixed32()) : String(reader.fixed64())
      }
    }
    return known ? value : null
  }
}
