import type { ReadKey } from './json-lists.ts'
import type { MessageType } from './model.ts'
import { LEN, WireReader, wireTypeOf } from './wire.ts'

/** Reads what tells an entry's key from others of the same map. Only called for maps of two entries or more. */
export function mapKeyReader(entry: MessageType): ReadKey {
  const key = entry.fields[0]!
  const wireType = wireTypeOf(key.type)
  const tag = key.number * 8 + wireType
  const narrow = key.type.endsWith('32')
  return (buf, start, end) => {
    const reader = new WireReader(buf, start, end)
    let value = wireType === LEN ? '' : '0'
    while (reader.more) {
      const next = reader.tag()
      if (next !== tag) {
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
    return value
  }
}
