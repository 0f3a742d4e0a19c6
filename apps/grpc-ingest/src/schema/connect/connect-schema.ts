import { Decimal, type Field as ConnectField, LOGICAL, type Schema, type SchemaType } from '@tributary/connect-api'
import { grpcErrors } from '../../errors.ts'
import { type WellKnown, wellKnownOf } from '../json/well-known.ts'
import type { DefaultValue, EnumType, Field, FieldType, MessageType } from '../model/model.ts'
import { isRecursive } from './recursion.ts'

/** How a value is read: by its protobuf type, or by a form of its own. */
export type Form = 'plain' | 'wrapper' | 'timestamp' | 'text' | 'json'

/** A field of a struct. */
export interface FieldPlan {
  readonly field: Field
  readonly name: string
  /** Of one value; of the values of a map. */
  readonly form: Form
  readonly schema: Schema
  /** The value where the message has none; null for fields with presence. Lists and maps are empty instead. */
  readonly unset: unknown
}

/** A message type as a struct. */
export interface StructPlan {
  readonly schema: Schema
  readonly fields: readonly FieldPlan[]
}

export interface StructOptions {
  /** Values that Connect's own types cannot hold exactly are kept: uint64 is Decimal, and a Timestamp is text. */
  readonly lossless: boolean
}

/** Confluent's names, by which its Protobuf converter keeps field numbers and enums (io.confluent.connect.protobuf.ProtobufData). */
const TAG = 'io.confluent.connect.protobuf.Tag'
const ENUM = 'io.confluent.connect.protobuf.Enum'

/** Converters write out every use of a type, so a type may grow exponentially with the depth of its nesting. */
const MAX_FIELDS = 20_000

const SCALARS: Readonly<Partial<Record<FieldType, SchemaType>>> = {
  double: 'float64', float: 'float32', int32: 'int32', sint32: 'int32', sfixed32: 'int32', uint32: 'int64',
  fixed32: 'int64', int64: 'int64', sint64: 'int64', sfixed64: 'int64', uint64: 'int64', fixed64: 'int64',
  bool: 'boolean', string: 'string', bytes: 'bytes', enum: 'string',
} // prettier-ignore

const TIMESTAMP: Schema = { type: 'int64', name: LOGICAL.Timestamp, version: 1 }
const DECIMAL: Schema = { type: 'bytes', name: LOGICAL.Decimal, version: 1, parameters: { scale: '0' } }

export function isUnsigned64(type: FieldType): boolean {
  return type === 'uint64' || type === 'fixed64'
}

/**
 * Makes the Connect schemas of message types, each once. A field without presence is required, with its zero as default, so that a
 * field that a later descriptor adds does not break the schemas before. A field with presence is optional.
 */
export class StructPlans {
  readonly #options: StructOptions
  readonly #plans = new Map<MessageType, StructPlan>()
  readonly #sizes = new Map<MessageType, number>()

  constructor(options: StructOptions) {
    this.#options = options
  }

  /** The plan of a type that `formOf` calls plain. Throws ConfigError GRPC_STRUCT for a type of too many fields. */
  planOf(type: MessageType): StructPlan {
    const known = this.#plans.get(type)
    if (known !== undefined) return known
    const names = namesOf(type)
    const fields = type.fields.map((field, i) => this.#field(type, field, names[i]!))
    this.#checkSize(type, fields)
    const schema: Schema = {
      type: 'struct',
      name: type.fullName,
      fields: fields.map(({ name, schema }): ConnectField => ({ name, schema })),
    }
    const plan: StructPlan = { schema, fields }
    this.#plans.set(type, plan)
    return plan
  }

  /** `within`: the type that has the field. */
  formOf(within: MessageType, type: MessageType | null): Form {
    if (type === null) return 'plain'
    const wellKnown = wellKnownOf(type)
    const form = wellKnown === null ? undefined : FORMS[wellKnown]
    if (form !== undefined) return wellKnown === 'timestamp' && this.#options.lossless ? 'text' : form
    return isRecursive(within, type) ? 'json' : 'plain'
  }

  #field(within: MessageType, field: Field, name: string): FieldPlan {
    const tag = { [TAG]: String(field.number) }
    const { messageType } = field
    if (messageType?.mapEntry === true) {
      const [key, value] = messageType.fields as [Field, Field]
      const form = this.formOf(within, value.messageType)
      const schema: Schema = { type: 'map', keySchema: this.#one(within, key), valueSchema: this.#one(within, value) }
      return { field, name, form, schema: { ...schema, default: new Map(), parameters: tag }, unset: null }
    }
    const form = this.formOf(within, messageType)
    const one = this.#one(within, field)
    if (field.repeated) {
      const schema: Schema = { type: 'array', valueSchema: one, default: [], parameters: tag }
      return { field, name, form, schema, unset: null }
    }
    const parameters = { ...one.parameters, ...tag }
    if (field.required) return { field, name, form, schema: { ...one, parameters }, unset: null }
    const zero = messageType === null ? this.#valueOf(field, field.defaultValue) : null
    if (!field.presence || (within.mapEntry && messageType === null))
      return { field, name, form, schema: { ...one, default: zero, parameters }, unset: zero }
    const declared = zero !== null && !isZero(field, field.defaultValue)
    const schema: Schema = { ...one, optional: true, ...(declared && { default: zero }), parameters }
    return { field, name, form, schema, unset: null }
  }

  /** The schema of one value. */
  #one(within: MessageType, field: Field): Schema {
    const { messageType, enumType, type } = field
    if (messageType !== null) {
      switch (this.formOf(within, messageType)) {
        case 'wrapper':
          return this.#one(messageType, messageType.fields[0]!)
        case 'timestamp':
          return TIMESTAMP
        case 'text':
        case 'json':
          return { type: 'string' }
        default:
          return this.planOf(messageType).schema
      }
    }
    if (enumType !== null) return enumSchema(enumType)
    if (this.#options.lossless && isUnsigned64(type)) return DECIMAL
    return { type: SCALARS[type]! }
  }

  #valueOf(field: Field, value: DefaultValue): unknown {
    if (field.enumType !== null) return field.enumType.nameOf.get(value as number) ?? String(value)
    if (isUnsigned64(field.type) && this.#options.lossless) return new Decimal(value as bigint, 0)
    if (field.type === 'uint32' || field.type === 'fixed32') return BigInt(value as number)
    return value
  }

  #checkSize(type: MessageType, fields: readonly FieldPlan[]): void {
    let size = fields.length
    for (const { field, form } of fields) {
      const inner = field.messageType?.mapEntry === true ? field.messageType.fields[1]!.messageType : field.messageType
      if (form === 'plain' && inner !== null) size += this.#sizes.get(inner) ?? 0
    }
    if (size > MAX_FIELDS) {
      throw grpcErrors.GRPC_STRUCT(
        `grpc.value.format=struct: the schema of ${type.fullName} has more than ${MAX_FIELDS} fields. Set grpc.value.format=json`,
        { field: 'grpc.value.format' },
      )
    }
    this.#sizes.set(type, size)
  }
}

const FORMS: Readonly<Partial<Record<WellKnown, Form>>> = {
  wrapper: 'wrapper',
  timestamp: 'timestamp',
  duration: 'text',
  struct: 'json',
  value: 'json',
  list: 'json',
}

/** An extension is named by its full name, as names with dots are illegal in Avro and Protobuf. */
function namesOf(type: MessageType): string[] {
  const taken = new Set(type.fields.filter((field) => !field.extension).map(({ name }) => name))
  return type.fields.map(({ extension, name, fullName, number }) => {
    if (!extension) return name
    const flat = fullName.replaceAll('.', '_')
    const free = taken.has(flat) ? `${flat}_${number}` : flat
    taken.add(free)
    return free
  })
}

const enums = new WeakMap<EnumType, Schema>()

/** A string, with the values in its parameters. */
function enumSchema(type: EnumType): Schema {
  const known = enums.get(type)
  if (known !== undefined) return known
  // As ProtobufData names it, whose Protobuf converter declares the enum within the message.
  const simpleName = type.fullName.slice(type.fullName.lastIndexOf('.') + 1)
  const values = [...type.numberOf].map(([name, number]) => [`${ENUM}.${name}`, String(number)] as const)
  const schema: Schema = { type: 'string', parameters: Object.fromEntries([[ENUM, simpleName], ...values]) }
  enums.set(type, schema)
  return schema
}

function isZero(field: Field, value: DefaultValue): boolean {
  if (field.enumType !== null) return value === field.enumType.defaultNumber
  if (value instanceof Uint8Array) return value.length === 0
  return typeof value === 'number' ? Object.is(value, 0) : !value
}
