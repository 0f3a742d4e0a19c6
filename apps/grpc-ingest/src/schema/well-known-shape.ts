import type { FieldType, MessageType } from './model.ts'

/** Types that JSON writes in a form of their own. */
export type WellKnown = 'wrapper' | 'struct' | 'list' | 'value' | 'timestamp' | 'duration' | 'fieldMask' | 'any'

type Shape = readonly (readonly [name: string, type: FieldType, repeated?: 'repeated'])[]

const WRAPPED: Readonly<Record<string, FieldType>> = {
  Double: 'double', Float: 'float', Int64: 'int64', UInt64: 'uint64', Int32: 'int32', UInt32: 'uint32', Bool: 'bool',
  String: 'string', Bytes: 'bytes',
} // prettier-ignore

const TIME: Shape = [
  ['seconds', 'int64'],
  ['nanos', 'int32'],
]
const SHAPES: Readonly<Record<string, readonly [WellKnown, Shape]>> = {
  Timestamp: ['timestamp', TIME],
  Duration: ['duration', TIME],
  FieldMask: ['fieldMask', [['paths', 'string', 'repeated']]],
  Any: [
    'any',
    [
      ['type_url', 'string'],
      ['value', 'bytes'],
    ],
  ],
  Struct: ['struct', [['fields', 'message', 'repeated']]],
  ListValue: ['list', [['values', 'message', 'repeated']]],
  Value: [
    'value',
    [
      ['null_value', 'enum'],
      ['number_value', 'double'],
      ['string_value', 'string'],
      ['bool_value', 'bool'],
      ['struct_value', 'message'],
      ['list_value', 'message'],
    ],
  ],
  ...Object.fromEntries(
    Object.entries(WRAPPED).map(([name, type]) => [`${name}Value`, ['wrapper', [['value', type]]] as const]),
  ),
}

/**
 * Which well-known type this is; null for others, and for one that has the name without the fields (a set brings its
 * own google/protobuf files, and nothing says that they are Google's).
 */
export function wellKnownOf(type: MessageType): WellKnown | null {
  if (!type.fullName.startsWith('google.protobuf.')) return null
  const name = type.fullName.slice('google.protobuf.'.length)
  const [kind, shape] = (Object.hasOwn(SHAPES, name) ? SHAPES[name] : undefined) ?? []
  if (!kind || !shape || type.fields.length !== shape.length) return null
  const same = type.fields.every((field, i) => {
    const [fieldName, fieldType, repeated] = shape[i]!
    const number = field.number === i + 1 && field.name === fieldName
    return number && field.type === fieldType && field.repeated === (repeated !== undefined)
  })
  return same && (name !== 'Struct' || type.fields[0]!.messageType?.mapEntry === true) ? kind : null
}
