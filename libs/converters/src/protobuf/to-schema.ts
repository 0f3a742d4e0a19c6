import { LOGICAL, type Schema, type SchemaType } from '@tributary/connect-api'
import type { ProtoField, ProtoMessage } from './model.ts'
import * as names from './names.ts'
import type { ProtobufSettings } from './settings.ts'

type Parameters = Record<string, string>
type Building = { -readonly [K in keyof Schema]: Schema[K] } & { fields?: { name: string; schema: Schema }[] }

/**
 * The Connect schema of a message, as ProtobufData.toConnectSchema makes it. A message that contains itself becomes a schema that
 * contains itself. `version`: that of the subject, on the outermost schema.
 */
export function toConnectSchema(message: ProtoMessage, settings: ProtobufSettings, version?: number): Schema {
  const schema = new SchemaMaker(settings).root(message)
  return version === undefined ? schema : { ...schema, version }
}

const SCALAR_TYPES: Readonly<Record<string, SchemaType>> = {
  int32: 'int32',
  sint32: 'int32',
  sfixed32: 'int32',
  uint32: 'int64',
  fixed32: 'int64',
  int64: 'int64',
  uint64: 'int64',
  sint64: 'int64',
  fixed64: 'int64',
  sfixed64: 'int64',
  float: 'float32',
  double: 'float64',
  bool: 'boolean',
  string: 'string',
  bytes: 'bytes',
}

class SchemaMaker {
  readonly #settings: ProtobufSettings
  /** By full name: a message is converted once, however many fields have its type. */
  readonly #structs = new Map<string, Building>()

  constructor(settings: ProtobufSettings) {
    this.#settings = settings
  }

  root(message: ProtoMessage): Schema {
    return this.#settings.wrapperForRawPrimitives && names.isWrapper(message.fullName)
      ? { type: scalarOfWrapper(message) }
      : this.#struct(message)
  }

  #struct(message: ProtoMessage): Building {
    const known = this.#structs.get(message.fullName)
    if (known) return known
    const fields: { name: string; schema: Schema }[] = []
    const struct: Building = { type: 'struct', name: this.#settings.enhanced ? message.fullName : message.name, fields }
    this.#structs.set(message.fullName, struct)
    for (const [i, oneof] of message.oneofs.entries()) {
      const members = message.fields.filter((field) => field.oneof === oneof)
      if (this.#settings.flattenUnions) fields.push(...members.map((member) => this.#named(member)))
      else fields.push({ name: unionFieldName(oneof, i, this.#settings), schema: this.#union(message, oneof, members) })
    }
    for (const field of message.fields) if (field.oneof === null) fields.push(this.#named(field))
    return struct
  }

  #union(message: ProtoMessage, oneof: string, members: readonly ProtoField[]): Schema {
    const { generalized, enhanced } = this.#settings
    const name = generalized ? oneof : `${names.UNION}.${enhanced ? `${message.fullName}.${oneof}` : oneof}`
    return {
      type: 'struct',
      optional: true,
      name,
      ...(generalized ? { parameters: { [names.GENERALIZED_UNION]: oneof } } : {}),
      fields: members.map((member) => this.#named(member)),
    }
  }

  #named(field: ProtoField): { name: string; schema: Schema } {
    return { name: field.name, schema: this.#field(field) }
  }

  #field(field: ProtoField): Schema {
    const { optionalForNullables, wrapperForNullables } = this.#settings
    let schema = this.#value(field)
    if (field.repeated && schema.type !== 'map')
      schema = { type: 'array', optional: true, valueSchema: { ...schema, optional: true } }
    const optional = schema.optional === true || (optionalForNullables ? field.optional !== null : !wrapperForNullables)
    const { parameters, ...rest } = schema
    return {
      ...rest,
      ...(optional ? { optional } : {}),
      parameters: { ...parameters, [names.TAG]: String(field.number) },
    }
  }

  #value(field: ProtoField): Schema {
    if (field.enum) return this.#enum(field)
    if (field.message) {
      const schema = this.#message(field, field.message)
      return schema.type === 'map' ? schema : { ...schema, optional: true }
    }
    const type = SCALAR_TYPES[field.type]!
    if (type !== 'int32' && type !== 'int64') return { type }
    const small = type === 'int32' ? field.params.get(names.CONNECT_TYPE) : undefined
    if (small === 'int8' || small === 'int16') return { type: small }
    return field.type === type ? { type } : { type, parameters: { [names.PROTOBUF_TYPE]: field.type } }
  }

  #enum(field: ProtoField): Schema {
    const { generalized, enhanced, intForEnums } = this.#settings
    const { name, fullName, values } = field.enum!
    const parameter = generalized ? names.GENERALIZED_ENUM : names.ENUM
    const parameters: Parameters = { [parameter]: name }
    for (const [symbol, number] of values) parameters[`${parameter}.${symbol}`] = String(number)
    return { type: intForEnums ? 'int32' : 'string', optional: true, name: enhanced ? fullName : name, parameters }
  }

  #message(field: ProtoField, message: ProtoMessage): Schema {
    switch (message.fullName) {
      case names.DECIMAL:
        return decimal(field)
      case names.DATE:
        return { type: 'int32', name: LOGICAL.Date, version: 1 }
      case names.TIME_OF_DAY:
        return { type: 'int32', name: LOGICAL.Time, version: 1 }
      case names.TIMESTAMP:
        return { type: 'int64', name: LOGICAL.Timestamp, version: 1 }
    }
    if (this.#settings.wrapperForNullables && names.isWrapper(message.fullName))
      return { type: scalarOfWrapper(message) }
    return isMapEntry(field) ? this.#map(message) : this.#struct(message)
  }

  #map(entry: ProtoMessage): Schema {
    return {
      type: 'map',
      optional: true,
      name: names.toMapField(this.#settings.enhanced ? entry.fullName : entry.name),
      keySchema: this.#field(entry.fields[0]!),
      valueSchema: this.#field(entry.fields[1]!),
    }
  }
}

function decimal(field: ProtoField): Schema {
  const scale = integer(field.params.get('scale')) ?? 0
  const precision = integer(field.params.get('precision'))
  return {
    type: 'bytes',
    name: LOGICAL.Decimal,
    version: 1,
    parameters: {
      scale: String(scale),
      ...(precision === undefined ? {} : { [names.CONNECT_PRECISION]: String(precision) }),
    },
  }
}

function integer(text: string | undefined): number | undefined {
  return text !== undefined && /^[+-]?\d{1,9}$/.test(text) ? Number(text) : undefined
}

function scalarOfWrapper(message: ProtoMessage): SchemaType {
  return SCALAR_TYPES[names.WRAPPERS[message.fullName as keyof typeof names.WRAPPERS]]!
}

export function unionFieldName(oneof: string, index: number, settings: ProtobufSettings): string {
  return settings.indexForUnions ? `${oneof}_${index}` : oneof
}

/** As Confluent decides it: by the names. Its own schemas have no `map<…>`, but repeated messages of this form. */
export function isMapEntry(field: ProtoField): boolean {
  const { message } = field
  if (!field.repeated || message === null || message.fields.length !== 2 || !message.name.endsWith('Entry'))
    return false
  const [key, value] = message.fields as [ProtoField, ProtoField]
  return key.name === 'key' && value.name === 'value' && !key.repeated && !value.repeated
}
