import { chunk, varint } from '../conformance/protobuf-json/generate-message.ts'
import type { Random } from '../support/random.ts'
import { mutateBytes } from './mutate.ts'

/** A field on the wire. The bytes after a length prefix are a tree when they can be parsed as fields. */
export interface WireField {
  readonly number: bigint
  readonly wireType: number
  /** Of a varint its number, of a fixed field its bytes, of a length-delimited field its bytes or fields. */
  readonly value: bigint | Buffer | readonly WireField[]
}

/** Parses bytes as fields; null when they are not fields. Groups are not parsed. */
export function parseTree(bytes: Buffer, depth = 0): WireField[] | null {
  const fields: WireField[] = []
  let at = 0
  const readVarint = (): bigint | null => {
    let value = 0n
    for (let shift = 0n; shift < 70n && at < bytes.length; shift += 7n) {
      const byte = bytes[at++]!
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    return null
  }
  const take = (length: number): Buffer | null => {
    if (at + length > bytes.length) return null
    at += length
    return bytes.subarray(at - length, at)
  }
  while (at < bytes.length) {
    const tag = readVarint()
    if (tag === null || tag >> 3n === 0n) return null
    const wireType = Number(tag & 7n)
    const length = wireType === 2 ? readVarint() : 0n
    if (length === null || length > BigInt(bytes.length)) return null
    const value =
      wireType === 0
        ? readVarint()
        : wireType === 1
          ? take(8)
          : wireType === 5
            ? take(4)
            : wireType === 2
              ? take(Number(length))
              : null
    if (value === null) return null
    const nested = wireType === 2 && depth < 8 ? parseTree(value as Buffer, depth + 1) : null
    fields.push({ number: tag >> 3n, wireType, value: nested && nested.length > 0 ? nested : value })
  }
  return fields
}

export function encodeTree(fields: readonly WireField[]): Buffer {
  return Buffer.concat(
    fields.flatMap(({ number, wireType, value }) => {
      const tag = varint((number << 3n) | BigInt(wireType))
      if (typeof value === 'bigint') return [tag, varint(value)]
      const content = Buffer.isBuffer(value) ? value : encodeTree(value)
      return [tag, wireType === 2 ? chunk(content) : content]
    }),
  )
}

const NUMBERS = [
  0n,
  1n,
  2n,
  3n,
  7n,
  10n,
  11n,
  14n,
  18n,
  19n,
  100n,
  2n ** 29n - 1n,
  2n ** 29n,
  2n ** 31n,
  2n ** 63n,
  2n ** 64n - 1n,
]

/**
 * Changes one field of a tree and keeps the lengths right: its number, value or presence, or its text by another text
 * of the tree.
 */
export function mutateTree(random: Random, fields: readonly WireField[], texts: readonly Buffer[]): WireField[] {
  const copy = [...fields]
  if (copy.length === 0) return [{ number: 1n, wireType: 0, value: random.pick(NUMBERS) }]
  const at = random.int(copy.length)
  const field = copy[at]!
  const other = random.pick(fields)
  if (Array.isArray(field.value) && random.chance(0.85)) {
    copy[at] = { ...field, value: mutateTree(random, field.value as WireField[], texts) }
    return copy
  }
  switch (random.int(8)) {
    case 0:
      copy.splice(at, 1)
      return copy
    case 1:
      copy.splice(random.int(copy.length + 1), 0, field)
      return copy
    case 2:
      copy.splice(random.int(copy.length + 1), 0, other)
      return copy
    case 3:
      copy[at] = { ...field, number: random.chance(0.5) ? other.number : random.pick(NUMBERS.slice(1, 13)) }
      return copy
    case 4:
      // Types that contain themselves.
      copy.splice(at, 1, field.wireType === 2 ? { ...field, value: [field] } : field)
      return copy
    default:
      copy[at] = { ...field, value: mutateValue(random, field.value, texts) }
      return copy
  }
}

function mutateValue(random: Random, value: WireField['value'], texts: readonly Buffer[]): WireField['value'] {
  if (typeof value === 'bigint') return random.chance(0.5) ? random.pick(NUMBERS) : value + BigInt(random.int(5) - 2)
  if (!Buffer.isBuffer(value)) return value
  const isFixed = value.length === 4 || value.length === 8
  if (texts.length > 0 && !isFixed && random.chance(0.6)) return random.pick(texts)
  // A slice of a Buffer is a view, and the corpus must not change, so the slice is copied.
  const mutated = Buffer.from(mutateBytes(random, new Uint8Array(value)))
  return isFixed ? Buffer.concat([mutated, value]).subarray(0, value.length) : mutated
}

/** All length-delimited leaves of a tree: names, type names, texts. */
export function textsOf(fields: readonly WireField[]): Buffer[] {
  return fields.flatMap(({ value }) =>
    Buffer.isBuffer(value) ? [value] : Array.isArray(value) ? textsOf(value as WireField[]) : [],
  )
}
