import { LOGICAL, type Schema } from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import { WRAPPERS_TEXT } from './known-files.ts'
import { type EnumDraft, type FieldDraft, type MessageDraft, printProto } from './print.ts'
import * as names from './names.ts'
import type { ProtobufSettings } from './settings.ts'

export interface GeneratedProto {
  readonly text: string
  /** The full name of the message for the outermost schema. */
  readonly fullName: string
}

/** The .proto text of a Connect schema, as ProtobufData.fromConnectSchema makes it. Throws DataError `CONVERTER_BAD_SCHEMA`. */
export function fromConnectSchema(schema: Schema, settings: ProtobufSettings): GeneratedProto {
  const wrapper = ROOT_WRAPPERS[schema.type]
  if (wrapper) return { text: WRAPPERS_TEXT, fullName: wrapper }
  if (schema.type !== 'struct') throw unsupported(`Unsupported root schema of type ${schema.type.toUpperCase()}`)
  return new ProtoMaker(settings).file(schema)
}

const ROOT_WRAPPERS: Partial<Record<Schema['type'], string>> = {
  int8: 'google.protobuf.Int32Value',
  int16: 'google.protobuf.Int32Value',
  int32: 'google.protobuf.Int32Value',
  int64: 'google.protobuf.Int64Value',
  float32: 'google.protobuf.FloatValue',
  float64: 'google.protobuf.DoubleValue',
  boolean: 'google.protobuf.BoolValue',
  string: 'google.protobuf.StringValue',
  bytes: 'google.protobuf.BytesValue',
}

/** As deep as protobuf-java reads messages. */
const MAX_DEPTH = 100
const INTEGERS = new Set('int32 sint32 sfixed32 uint32 fixed32 int64 uint64 sint64 fixed64 sfixed64'.split(' '))

class ProtoMaker {
  readonly #settings: ProtobufSettings
  readonly #imports = new Set<string>()
  /** The schemas of the messages of structs. */
  readonly #structs = new Map<MessageDraft, Schema>()
  #unnamed = 0
  #depth = 0

  constructor(settings: ProtobufSettings) {
    this.#settings = settings
  }

  file(schema: Schema): GeneratedProto {
    const full = this.#nameOr(schema.name)
    const dot = full.lastIndexOf('.')
    const parts = dot < 0 ? [] : full.slice(0, dot).split('.')
    const pkg = parts.map((part) => this.#identifier(part)).join('.')
    const name = this.#identifier(full.slice(dot + 1))
    const message = this.#message(name, schema, [])
    return {
      text: printProto({ syntax: 'proto3', package: pkg, imports: [...this.#imports], messages: [message], enums: [] }),
      fullName: pkg ? `${pkg}.${name}` : name,
    }
  }

  #message(name: string, schema: Schema, siblings: MessageDraft[]): MessageDraft {
    if (++this.#depth > MAX_DEPTH) throw unsupported(`Its structs nest deeper than ${MAX_DEPTH}`)
    const message: MessageDraft = { name, fields: [], oneofs: [], messages: [], enums: [] }
    siblings.push(message)
    this.#structs.set(message, schema)
    const numbers = new FieldNumbers(schema)
    for (const { name: field, schema: type } of schema.fields ?? []) {
      if (isUnion(type)) this.#oneof(message, type, numbers)
      else message.fields.push(this.#field(message, type, this.#identifier(field), numbers.of(type)))
    }
    this.#depth--
    return message
  }

  /** A member without a number, which Confluent refuses, gets the next one. */
  #oneof(message: MessageDraft, union: Schema, numbers: FieldNumbers): void {
    numbers.passUnion(union)
    const name = this.#settings.generalized
      ? union.parameters?.[names.GENERALIZED_UNION]
      : union.name?.startsWith(names.UNION)
        ? this.#unqualified(union.name.slice(names.UNION.length + 1))
        : union.parameters?.[names.GENERALIZED_UNION]
    const fields = (union.fields ?? []).map(({ name: field, schema }) =>
      this.#field(message, schema, this.#identifier(field), numbers.of(schema), true),
    )
    message.oneofs.push({ name: this.#identifier(name ?? ''), fields })
  }

  #field(message: MessageDraft, field: Schema, name: string, number: number, inOneof = false): FieldDraft {
    const repeated = field.type === 'array' || field.type === 'map'
    const optional = this.#settings.optionalForNullables && field.optional === true && !repeated && !inOneof
    const schema = field.type === 'array' ? field.valueSchema! : field
    const params = new Map<string, string>()
    let type = this.#type(schema, name, params)
    const location = names.LOCATIONS[type] ?? (names.isWrapper(type) ? names.WRAPPERS_LOCATION : undefined)
    if (params.size > 0) this.#imports.add(names.META_LOCATION)
    if (location !== undefined) this.#imports.add(location)
    else if (schema.type === 'struct') type = this.#nest(message, type, schema)
    else if (schema.type === 'map') this.#nestEntry(message, type, schema)
    else if (enumName(schema) !== undefined) type = this.#nestEnum(message, type, schema)
    return { label: repeated ? 'repeated' : optional ? 'optional' : '', type, name, number, params }
  }

  /**
   * The name of the message for a struct. The message around it, or a sibling, is that message if it has the name and the fields; where it
   * lacks fields, the struct is of another package, and gets a number behind its name.
   */
  #nest(parent: MessageDraft, name: string, schema: Schema): string {
    const taken = new Map<string, MessageDraft | null>(parent.enums.map((known) => [known.name, null]))
    for (const message of [parent, ...parent.messages]) taken.set(message.name, message)
    for (let i = 1; ; i++) {
      const numbered = i === 1 ? name : `${name}${i}`
      const known = taken.get(numbered)
      if (known === undefined) {
        this.#message(numbered, schema, parent.messages)
        return numbered
      }
      const of = known === null ? undefined : this.#structs.get(known)
      if (of !== undefined && holds(of, schema)) return numbered
    }
  }

  #nestEntry(parent: MessageDraft, name: string, map: Schema): void {
    if (++this.#depth > MAX_DEPTH) throw unsupported(`Its maps nest deeper than ${MAX_DEPTH}`)
    const entry: MessageDraft = { name, fields: [], oneofs: [], messages: [], enums: [] }
    if (parent.messages.some((message) => message.name === name)) {
      throw unsupported(`Two maps of one struct have the name ${map.name}`)
    }
    parent.messages.push(entry)
    entry.fields.push(this.#field(entry, map.keySchema!, 'key', 1), this.#field(entry, map.valueSchema!, 'value', 2))
    this.#depth--
  }

  /**
   * The name of the enum. The names of an enum's values count in the message that declares the enum, so one that would have the name of
   * another enum or value there is declared in a message of its own.
   */
  #nestEnum(parent: MessageDraft, name: string, schema: Schema): string {
    const draft = this.#enum(name, schema)
    const isDraft = (known: EnumDraft): boolean => known.name === name && String(known.values) === String(draft.values)
    if (parent.enums.some(isDraft)) return name
    const taken = new Set([...parent.messages.map((message) => message.name), ...parent.enums.flatMap(namesIn)])
    if (!namesIn(draft).some((each) => taken.has(each))) {
      parent.enums.push(draft)
      return name
    }
    for (let i = 2; ; i++) {
      const around = parent.messages.find((message) => message.name === `${name}${i}`)
      if (around === undefined) {
        parent.messages.push({ name: `${name}${i}`, fields: [], oneofs: [], messages: [], enums: [draft] })
      } else if (!around.enums.some(isDraft)) continue
      return `${name}${i}.${name}`
    }
  }

  #enum(name: string, schema: Schema): EnumDraft {
    const prefix = `${schema.parameters![names.ENUM] === undefined ? names.GENERALIZED_ENUM : names.ENUM}.`
    const values: EnumDraft['values'] = Object.entries(schema.parameters!)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, number]) => [this.#valid(key.slice(prefix.length)), wholeNumber(number)] as const)
    const allowAlias = new Set(values.map(([, number]) => number)).size < values.length
    // The first value of a proto3 enum is its default, and has the number 0.
    return { name, allowAlias, values: [...values].sort(([, a], [, b]) => Number(a !== 0) - Number(b !== 0)) }
  }

  #type(schema: Schema, fieldName: string, params: Map<string, string>): string {
    switch (schema.name ?? '') {
      case LOGICAL.Decimal: {
        const { [names.CONNECT_PRECISION]: precision, scale } = schema.parameters ?? {}
        if (precision !== undefined) params.set('precision', precision)
        if (scale !== undefined) params.set('scale', scale)
        return names.DECIMAL
      }
      case LOGICAL.Date:
        return names.DATE
      case LOGICAL.Time:
        return names.TIME_OF_DAY
      case LOGICAL.Timestamp:
        return names.TIMESTAMP
    }
    const named = enumName(schema)
    if (named !== undefined) return this.#valid(named)
    if (schema.type === 'array') throw unsupported('Array cannot be nested')
    if (schema.type === 'map') return names.toMapEntry(this.#unqualified(schema.name))
    if (schema.type === 'struct') {
      const name = this.#unqualified(schema.name)
      return name === fieldName ? `${name}Message` : name
    }
    return this.#scalar(schema, params)
  }

  #scalar(schema: Schema, params: Map<string, string>): string {
    if (schema.type === 'int8' || schema.type === 'int16') params.set(names.CONNECT_TYPE, schema.type)
    const type = scalarOf(schema)
    return this.#settings.wrapperForNullables && schema.optional === true ? wrapperOf(type) : type
  }

  #nameOr(name: string | undefined): string {
    return name ? name : `ConnectDefault${++this.#unnamed}`
  }

  #unqualified(name: string | undefined): string {
    return this.#identifier(names.unqualified(this.#nameOr(name)))
  }

  #identifier(name: string): string {
    return this.#valid(this.#settings.scrub ? names.scrubName(name) : name)
  }

  #valid(name: string): string {
    if (names.isIdentifier(name)) return name
    const text = name.length > 100 ? `${name.slice(0, 100)}…` : name
    throw unsupported(`A .proto file allows no name ${JSON.stringify(text)}; set scrub.invalid.names=true`)
  }
}

/** The type of Protobuf for a schema that is no struct, map, array, enum or logical type. */
export function scalarOf(schema: Schema): string {
  switch (schema.type) {
    case 'int32':
    case 'int64': {
      const kept = schema.parameters?.[names.PROTOBUF_TYPE]
      return kept !== undefined && INTEGERS.has(kept) ? kept : schema.type
    }
    case 'int8':
    case 'int16':
      return 'int32'
    case 'float32':
      return 'float'
    case 'float64':
      return 'double'
    case 'boolean':
      return 'bool'
    default:
      return schema.type
  }
}

function wrapperOf(type: string): string {
  switch (type) {
    case 'fixed32':
    case 'uint32':
      return 'google.protobuf.UInt32Value'
    case 'fixed64':
    case 'uint64':
      return 'google.protobuf.UInt64Value'
    case 'sint32':
    case 'sfixed32':
      return 'google.protobuf.Int32Value'
    case 'sint64':
    case 'sfixed64':
      return 'google.protobuf.Int64Value'
  }
  return Object.entries(names.WRAPPERS).find(([, scalar]) => scalar === type)![0]
}

export function isUnion(schema: Schema): boolean {
  return (
    schema.type === 'struct' &&
    (schema.name?.startsWith(names.UNION) === true || schema.parameters?.[names.GENERALIZED_UNION] !== undefined)
  )
}

/** The name of the enum whose symbols a text or number stands for. Undefined: none. */
export function enumName(schema: Schema): string | undefined {
  const { parameters } = schema
  if (parameters === undefined) return undefined
  if (schema.type === 'string') return parameters[names.GENERALIZED_ENUM] ?? parameters[names.ENUM]
  return schema.type === 'int32' ? parameters[names.ENUM] : undefined
}

/** Whether a message for the first schema has a place for all values of the second. A schema may contain itself. */
function holds(outer: Schema, inner: Schema, seen = new Map<Schema, Set<Schema>>()): boolean {
  const before = seen.get(outer) ?? new Set()
  if (outer === inner || before.has(inner)) return true
  seen.set(outer, before.add(inner))
  const within = (a: Schema | undefined, b: Schema | undefined): boolean =>
    b === undefined || (a !== undefined && holds(a, b, seen))
  if (outer.type !== inner.type || (outer.name !== inner.name && outer.type !== 'struct')) return false
  if (!within(outer.keySchema, inner.keySchema) || !within(outer.valueSchema, inner.valueSchema)) return false
  const fields = new Map((outer.fields ?? []).map((field) => [field.name, field.schema]))
  return (inner.fields ?? []).every((field) => within(fields.get(field.name), field.schema))
}

/** Numbers for the fields of a message: a field without a tag gets the next number that no tag of the message has. */
class FieldNumbers {
  readonly #tags = new Set<number>()
  #next = 1

  constructor(message: Schema) {
    for (const { schema } of message.fields ?? []) {
      for (const field of isUnion(schema) ? (schema.fields ?? []).map((member) => member.schema) : [schema]) {
        const tag = tagOf(field)
        if (tag !== undefined) this.#tags.add(tag)
      }
    }
  }

  of(field: Schema): number {
    const tag = tagOf(field)
    if (tag !== undefined) return tag
    while (this.#tags.has(this.#next)) this.#next++
    return this.#next++
  }

  /** Confluent counts a union without a tag as a field. */
  passUnion(union: Schema): void {
    if (tagOf(union) === undefined) this.#next++
  }
}

/** The names that an enum takes in the message around it. */
function namesIn({ name, values }: EnumDraft): string[] {
  return [name, ...values.map(([value]) => value)]
}

function tagOf(schema: Schema): number | undefined {
  const tag = schema.parameters?.[names.TAG]
  return tag === undefined ? undefined : wholeNumber(tag)
}

function wholeNumber(text: string): number {
  if (!/^[+-]?\d{1,10}$/.test(text))
    throw unsupported(`${JSON.stringify(text.slice(0, 100))} is no number of a field or an enum`)
  return Number(text)
}

function unsupported(why: string): Error {
  return converterErrors.CONVERTER_BAD_SCHEMA(`The schema of a record has no Protobuf form: ${why}`)
}
