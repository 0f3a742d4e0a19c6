import type { ReadKey } from '../json/lists.ts'
import { chunkStart, skipVarint, varint32 } from '../wire/wire-scan.ts'
import { readBytes, readString, type ReadValue } from './scalars.ts'

/**
 * Reads a message from `start` to `end`; `more` (`[from, to, …]`) has the ranges of further occurrences, which merge with it.
 * `depth`: the number of messages around it.
 */
export type ReadMessage = (
  buf: Buffer,
  start: number,
  end: number,
  more: readonly number[] | null,
  depth: number,
) => unknown

/** The reader of a message type. It is compiled at its first call, so that types can refer to each other. */
export interface MessageReader {
  read: ReadMessage
}

/** The names of an enum by number. */
export type EnumNames = ReadonlyMap<number, string>

/** The name, or the digits of a number without a name. */
export function enumName(names: EnumNames, number: number): string {
  return names.get(number) ?? String(number)
}

/*
 * Readers of repeated fields. `list` has the positions of the elements: a position for a single element, its complement (~) for a
 * packed chunk.
 */

/** Scalars. `size` is 4 or 8 for fixed ones, 0 for varints. */
export function readScalars(buf: Buffer, list: readonly number[], read: ReadValue, size: number): unknown[] {
  const out: unknown[] = []
  for (const entry of list) {
    let at = entry >= 0 ? entry : chunkStart(buf, ~entry)
    const end = entry >= 0 ? at + 1 : at + (varint32(buf, ~entry) >>> 0)
    while (at < end) {
      out.push(read(buf, at))
      at = size > 0 ? at + size : skipVarint(buf, at, entry >= 0 ? at + 10 : end)
    }
  }
  return out
}

/** Values of a closed enum without a name are left out. */
export function readEnums(buf: Buffer, list: readonly number[], names: EnumNames, closed: boolean): string[] {
  const numbers = readScalars(buf, list, varint32, 0) as number[]
  return (closed ? numbers.filter((number) => names.has(number)) : numbers).map((number) => enumName(names, number))
}

export function readStrings(buf: Buffer, list: readonly number[], strict: boolean): string[] {
  const out: string[] = []
  for (const entry of list) {
    const at = chunkStart(buf, entry)
    out.push(readString(buf, at, at + (varint32(buf, entry) >>> 0), strict))
  }
  return out
}

export function readByteStrings(buf: Buffer, list: readonly number[]): Buffer[] {
  return list.map((entry) => {
    const at = chunkStart(buf, entry)
    return readBytes(buf, at, at + (varint32(buf, entry) >>> 0))
  })
}

export function readMessages(buf: Buffer, list: readonly number[], reader: MessageReader, depth: number): unknown[] {
  const out: unknown[] = []
  for (const entry of list) {
    const at = chunkStart(buf, entry)
    out.push(reader.read(buf, at, at + (varint32(buf, entry) >>> 0), null, depth))
  }
  return out
}

/** Groups. `list` has the start and the end of the content of each. */
export function readGroups(buf: Buffer, list: readonly number[], reader: MessageReader, depth: number): unknown[] {
  const out: unknown[] = []
  for (let i = 0; i < list.length; i += 2) out.push(reader.read(buf, list[i]!, list[i + 1]!, null, depth))
  return out
}

/** The last of several entries with the same key counts. `knows` is null for an entry that counts as unknown: see ReadKey. */
export function readMap(
  buf: Buffer,
  list: readonly number[],
  reader: MessageReader,
  knows: ReadKey | null,
  depth: number,
): Map<unknown, unknown> {
  const out = new Map<unknown, unknown>()
  for (const entry of list) {
    const at = chunkStart(buf, entry)
    const end = at + (varint32(buf, entry) >>> 0)
    if (knows !== null && knows(buf, at, end) === null) continue
    const { key, value } = reader.read(buf, at, end, null, depth) as { key: unknown; value: unknown }
    out.set(key, value)
  }
  return out
}
