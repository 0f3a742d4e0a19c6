import type { ProtoField, ProtoMessage } from './model.ts'

/** Types of one group are read as each other (protobuf documentation, "Updating a message type"). */
const GROUPS: readonly (readonly ProtoField['type'][])[] = [
  ['int32', 'uint32', 'int64', 'uint64', 'bool', 'enum'],
  ['sint32', 'sint64'],
  ['string', 'bytes'],
  ['fixed32', 'sfixed32'],
  ['fixed64', 'sfixed64'],
  ['message', 'group'],
]

/**
 * Why `reader` cannot read what `writer` writes. Undefined: it can. Fields that only one of them has do not matter. One name with two
 * numbers does, although all types may be alike: the reader would find the value in another field, or nowhere.
 */
export function incompatibility(writer: ProtoMessage, reader: ProtoMessage): string | undefined {
  return compare(writer, reader, new Set())
}

function compare(writer: ProtoMessage, reader: ProtoMessage, seen: Set<ProtoMessage>): string | undefined {
  if (seen.has(writer)) return undefined
  seen.add(writer)
  for (const field of writer.fields) {
    const named = reader.fields.find((candidate) => candidate.name === field.name)
    if (named !== undefined && named.number !== field.number) {
      return `field ${field.name} has the number ${field.number} in the record, and ${named.number} there`
    }
    const other = reader.fields.find((candidate) => candidate.number === field.number)
    if (other === undefined) continue
    if (!areAlike(field.type, other.type) || (field.repeated !== other.repeated && field.type !== other.type)) {
      return `field ${field.number} is ${field.type} ${field.name} in the record, and ${other.type} ${other.name} there`
    }
    const inner = field.message && other.message ? compare(field.message, other.message, seen) : undefined
    if (inner !== undefined) return inner
  }
  return undefined
}

function areAlike(a: ProtoField['type'], b: ProtoField['type']): boolean {
  return a === b || GROUPS.some((group) => group.includes(a) && group.includes(b))
}
