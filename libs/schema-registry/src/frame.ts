import { schemaRegistryErrors } from './errors.ts'

const HEADER_BYTES = 5

/** The bytes 0 and `id` (big-endian), then for Protobuf the indexes of the message, then the payload. `indexes` null: none. */
export function frame(id: number, indexes: readonly number[] | null, payload: Uint8Array): Buffer {
  const middle = indexes === null ? EMPTY : indexBytes(indexes)
  const bytes = Buffer.allocUnsafe(HEADER_BYTES + middle.length + payload.length)
  bytes[0] = 0
  bytes.writeUInt32BE(id, 1)
  bytes.set(middle, HEADER_BYTES)
  bytes.set(payload, HEADER_BYTES + middle.length)
  return bytes
}

/**
 * The inverse of `frame`; the indexes are the beginning of the payload, see `readIndexes`. Throws DataError. Frames that begin with 1
 * carry a GUID in place of the id; no registry of the Confluent REST API before 8.0 knows them, so they are refused with their GUID.
 */
export function unframe(bytes: Uint8Array): { readonly id: number; readonly payload: Uint8Array } {
  const { length } = bytes
  if (bytes[0] === 0 && length >= HEADER_BYTES) {
    const id = new DataView(bytes.buffer, bytes.byteOffset, length).getInt32(1)
    if (id < 0)
      throw schemaRegistryErrors.SCHEMA_FRAME(`the record names its schema by the id ${id}, and no id is negative`)
    return { id, payload: bytes.subarray(HEADER_BYTES) }
  }
  if (bytes[0] === 1 && length >= 17) {
    const hex = Buffer.from(bytes.subarray(1, 17)).toString('hex')
    const guid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    throw schemaRegistryErrors.SCHEMA_FRAME(
      `the record names its schema by the GUID ${guid}, and only ids are read: let its producer write ids`,
    )
  }
  const reason = length < HEADER_BYTES ? `it has ${length} bytes, and a frame has 5 or more` : 'Unknown magic byte!'
  throw schemaRegistryErrors.SCHEMA_FRAME(`the record was not written with a schema registry: ${reason}`)
}

const EMPTY = new Uint8Array(0)

/** Confluent's form of the path to a message in its file: the count and each index as zigzag varints; [0] is one byte 0. */
function indexBytes(indexes: readonly number[]): Uint8Array {
  if (indexes.length === 1 && indexes[0] === 0) return new Uint8Array(1)
  const out: number[] = []
  for (const value of [indexes.length, ...indexes]) {
    let rest = value * 2
    for (; rest > 0x7f; rest = Math.floor(rest / 128)) out.push((rest % 128) | 0x80)
    out.push(rest)
  }
  return Uint8Array.from(out)
}

/** A file nests messages no deeper than this, here; Protobuf's own compilers stop at 32. */
const MAX_INDEXES = 64

/** Reads the indexes at the beginning of a payload. Throws DataError. */
export function readIndexes(payload: Uint8Array): { readonly indexes: readonly number[]; readonly rest: Uint8Array } {
  let at = 0
  const next = (): number => {
    let [value, factor] = [0, 1]
    for (let i = 0; i < 5; i++) {
      const byte = payload[at++]
      if (byte === undefined) break
      value += (byte & 0x7f) * factor
      if (byte < 0x80) {
        if (value % 2 === 1) break
        return value / 2
      }
      factor *= 128
    }
    throw schemaRegistryErrors.SCHEMA_FRAME('the indexes of the message at the beginning of the record are damaged')
  }
  const count = next()
  if (count === 0) return { indexes: FIRST, rest: payload.subarray(at) }
  if (count > MAX_INDEXES) {
    throw schemaRegistryErrors.SCHEMA_FRAME(`the record has ${count} indexes of a message, and ${MAX_INDEXES} are read`)
  }
  const indexes: number[] = []
  for (let i = 0; i < count; i++) indexes.push(next())
  return { indexes, rest: payload.subarray(at) }
}

const FIRST: readonly number[] = [0]
