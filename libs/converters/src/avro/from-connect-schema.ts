import { stringifyJson } from '@tributary/config'
import { decimalScale, equalSchemas, type Field, LOGICAL, type Schema } from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import { NAMESPACE } from './avro-type.ts'
import * as names from './connect-names.ts'
import { defaultToJson } from './default-values.ts'
import type { AvroOptions } from './options.ts'

type Json = Record<string, unknown>

/** The Avro schema, as JSON, of values without a schema: one field for each of JSON's types (Confluent's "Anything"). */
export const ANYTHING_JSON: Json = {
  type: 'record',
  name: 'Anything',
  namespace: NAMESPACE,
  fields: [
    ...['boolean', 'bytes', 'double', 'float', 'int', 'long', 'string'].map((name) => optionalField(name, name)),
    optionalField('array', { type: 'array', items: 'Anything' }),
    optionalField('map', {
      type: 'array',
      items: {
        type: 'record',
        name: 'MapEntry',
        fields: [
          { name: 'key', type: 'Anything' },
          { name: 'value', type: 'Anything' },
        ],
      },
    }),
  ],
}

function optionalField(name: string, type: unknown): Json {
  return { name, type: ['null', type], default: null }
}

/** The text of the Avro schema for a Connect schema, as Confluent's AvroData and Avro's `toString` write it. Throws DataError. */
export function avroText(schema: Schema, options: AvroOptions): string {
  return stringifyJson(new Translation(options).type(schema, '', false))
}

/** Schemas that do not end are refused at this depth. */
const MAX_DEPTH = 100

class Translation {
  readonly #options: AvroOptions
  /** Named types so far, by full name; `schema` is not optional. */
  readonly #defined = new Map<string, Schema>()
  #unnamed = 0
  #depth = 0

  constructor(options: AvroOptions) {
    this.#options = options
  }

  /** `space`: the namespace around. `bare`: without the union of an optional schema. */
  type(schema: Schema, space: string, bare: boolean): unknown {
    if (++this.#depth > MAX_DEPTH) throw invalid(`its types are nested more than ${MAX_DEPTH} deep`)
    try {
      if (names.isUnion(schema)) return this.#union(schema, space)
      const base = this.#base(schema, space)
      if (bare || schema.optional !== true) return base
      const hasDefault = schema.default !== undefined && schema.default !== null && schema.type !== 'struct'
      return hasDefault ? [base, 'null'] : ['null', base]
    } finally {
      this.#depth--
    }
  }

  #union(schema: Schema, space: string): unknown[] {
    const branches = (schema.fields ?? []).map((field) => this.type(field.schema, space, true))
    return schema.optional === true ? ['null', ...branches] : branches
  }

  #base(schema: Schema, space: string): unknown {
    names.isLogical(schema)
    switch (schema.type) {
      case 'struct':
        return this.#record(schema, space)
      case 'string':
        return names.enumParameter(schema, this.#options) === null
          ? this.#with(schema, { type: 'string' })
          : this.#enum(schema, space)
      case 'bytes':
        return this.#bytes(schema, space)
      case 'array':
        return this.#with(schema, { type: 'array', items: this.type(need(schema.valueSchema), space, false) })
      case 'map':
        return this.#map(schema, space)
      default:
        return this.#with(schema, { type: SIMPLE[schema.type] })
    }
  }

  #record(use: Schema, space: string): unknown {
    const schema = withoutTag(use)
    const known =
      schema.name === undefined ? this.#unnamedBefore(schema) : names.avroFullName(schema.name, this.#options)
    const full = known ?? `${NAMESPACE}.${names.DEFAULT_NAME}${++this.#unnamed > 1 ? this.#unnamed : ''}`
    if (this.#isDefined(full, schema)) return within(full, space)
    const inner = spaceOf(full)
    const record: Json = { type: 'record', ...named(full, space) }
    const doc = schema.parameters?.[`${NAMESPACE}.record.doc`]
    if (doc !== undefined) record['doc'] = doc
    record['fields'] = (schema.fields ?? []).map((field) =>
      this.#field(field, inner, schema.parameters?.[`${NAMESPACE}.field.doc.${field.name}`]),
    )
    return this.#with(schema, record)
  }

  #field({ name, schema }: Field, space: string, doc?: string): Json {
    const field: Json = { name: names.avroName(name, this.#options), type: this.type(schema, space, false) }
    if (doc !== undefined) field['doc'] = doc
    if (schema.default !== undefined && schema.default !== null) {
      const json = defaultToJson(schema, schema.default, this.#options)
      // One that Avro does not take is left out, as by Confluent.
      if (json !== undefined) field['default'] = json
    } else if (schema.optional === true) {
      field['default'] = null
    }
    return field
  }

  #enum(schema: Schema, space: string): unknown {
    const parameters = schema.parameters!
    const parameter = names.enumParameter(schema, this.#options)!
    const full = names.avroFullName(parameters[parameter]!, this.#options)
    if (this.#isDefined(full, schema)) return within(full, space)
    const simple = full.slice(full.lastIndexOf('.') + 1)
    const prefix = `${parameter}.`
    const symbols = Object.keys(parameters).flatMap((key) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []))
    const [doc, fallback] = ['doc', 'default'].map((what) => parameters[`${NAMESPACE}.enum.${what}.${simple}`])
    return this.#with(schema, {
      type: 'enum',
      ...named(full, space),
      ...(doc === undefined ? {} : { doc }),
      symbols,
      ...(fallback === undefined ? {} : { default: fallback }),
    })
  }

  #bytes(schema: Schema, space: string): unknown {
    let json: Json = { type: 'bytes' }
    if (names.isFixed(schema)) {
      const full = names.avroFullName(schema.name!, this.#options)
      if (this.#isDefined(full, schema)) return within(full, space)
      json = { type: 'fixed', ...named(full, space), size: Number(schema.parameters![names.FIXED_SIZE]) }
    }
    if (schema.name !== LOGICAL.Decimal) return this.#with(schema, json)
    return this.#with(schema, { ...json, scale: decimalScale(schema), precision: precisionOf(schema) })
  }

  #map(schema: Schema, space: string): unknown {
    if (names.hasTextKeys(schema, this.#options)) {
      return this.#with(schema, { type: 'map', values: this.type(need(schema.valueSchema), space, false) })
    }
    const [full, marked] = this.#entryName(schema)
    if (this.#isDefined(full, schema)) return this.#with(schema, { type: 'array', items: within(full, space) })
    const inner = spaceOf(full)
    const fields = [
      this.#field({ name: 'key', schema: need(schema.keySchema) }, inner),
      this.#field({ name: 'value', schema: need(schema.valueSchema) }, inner),
    ]
    const mark = marked ? { 'connect.internal.type': names.MAP_ENTRY } : {}
    return this.#with(schema, { type: 'array', items: { type: 'record', ...named(full, space), fields, ...mark } })
  }

  /** Maps without a name that differ have entries of different names, with the mark by which Confluent knows them too. */
  #entryName(schema: Schema): [full: string, marked: boolean] {
    if (schema.name !== undefined) return [names.avroFullName(schema.name, this.#options), true]
    for (let i = 1; ; i++) {
      const full = `${NAMESPACE}.${names.MAP_ENTRY}${i > 1 ? i : ''}`
      const before = this.#defined.get(full)
      if (before === undefined || isSameMap(before, schema)) return [full, i > 1]
    }
  }

  #unnamedBefore(schema: Schema): string | null {
    for (const [full, before] of this.#defined) {
      if (before.name === undefined && before.type === 'struct' && isSame(before, schema)) return full
    }
    return null
  }

  /** Whether the named type was written before, else notes it. Throws DataError when another schema has its name. */
  #isDefined(full: string, schema: Schema): boolean {
    const before = this.#defined.get(full)
    if (before === undefined) {
      this.#defined.set(full, schema)
      return false
    }
    if (schema.type === 'map' ? isSameMap(before, schema) : isSame(before, schema)) return true
    throw invalid(`Can't redefine: ${full}`)
  }

  /** Adds what Avro cannot say as properties, in the order of Confluent's. A type without any is its bare name. */
  #with(schema: Schema, json: Json): unknown {
    const { doc, version, parameters, name } = schema
    if (this.#options.metaData) {
      if (doc !== undefined) json['connect.doc'] = doc
      if (version !== undefined) json['connect.version'] = version
      const shown = Object.entries(parameters ?? {}).filter(([key]) => key !== FIELD_DEFAULT)
      if (shown.length > 0) json['connect.parameters'] = Object.fromEntries(shown)
      if (schema.default !== undefined && schema.default !== null && parameters?.[FIELD_DEFAULT] === undefined) {
        const value = defaultToJson(schema, schema.default, this.#options)
        if (value !== undefined) json['connect.default'] = value
      }
      if (name !== undefined) json['connect.name'] = name
      if (schema.type === 'int8' || schema.type === 'int16') json['connect.type'] = schema.type
    }
    const logical = logicalOf(schema)
    if (logical !== null) json['logicalType'] = logical
    for (const [key, value] of Object.entries(parameters ?? {})) if (key.startsWith('avro')) json[key] = value
    return Object.keys(json).length === 1 ? json['type'] : json
  }
}

const FIELD_DEFAULT = `${NAMESPACE}.field.default`

const SIMPLE = {
  int8: 'int',
  int16: 'int',
  int32: 'int',
  int64: 'long',
  float32: 'float',
  float64: 'double',
  boolean: 'boolean',
} as const

function logicalOf(schema: Schema): string | null {
  switch (schema.name) {
    case LOGICAL.Decimal:
      return 'decimal'
    case LOGICAL.Date:
      return 'date'
    case LOGICAL.Time:
      return 'time-millis'
    case LOGICAL.Timestamp:
      return 'timestamp-millis'
    default:
      return null
  }
}

function precisionOf({ parameters }: Schema): number {
  const text = parameters?.[names.PRECISION]
  return text === undefined ? names.DEFAULT_PRECISION : Number(text)
}

function spaceOf(full: string): string {
  return full.slice(0, Math.max(full.lastIndexOf('.'), 0))
}

/** The name of a type at its definition: the namespace only where it differs from that around. */
function named(full: string, space: string): Json {
  const own = spaceOf(full)
  const name = full.slice(full.lastIndexOf('.') + 1)
  return own === space ? { name } : { name, namespace: own }
}

/** The name of a type where it is used again. */
function within(full: string, space: string): string {
  return spaceOf(full) === space ? full.slice(full.lastIndexOf('.') + 1) : full
}

/** Whether two schemas are one type: their optionality belongs to its use. */
/** The number of a Protobuf field belongs to the field, while a record is one type wherever it is used. */
const TAG = 'io.confluent.connect.protobuf.Tag'

function withoutTag(schema: Schema): Schema {
  if (schema.parameters?.[TAG] === undefined) return schema
  const { parameters, ...rest } = schema
  const others = Object.entries(parameters).filter(([key]) => key !== TAG)
  return others.length === 0 ? rest : { ...rest, parameters: Object.fromEntries(others) }
}

function isSame(a: Schema, b: Schema): boolean {
  return a === b || equalSchemas({ ...a, optional: false }, { ...b, optional: false })
}

function isSameMap(a: Schema, b: Schema): boolean {
  return equalSchemas(a.keySchema, b.keySchema) && equalSchemas(a.valueSchema, b.valueSchema)
}

function need(schema: Schema | undefined): Schema {
  if (schema === undefined) throw invalid('an array or a map has no schema of its elements')
  return schema
}

function invalid(reason: string): Error {
  return converterErrors.CONVERTER_AVRO_SCHEMA(`the schema of the record has no Avro schema: ${reason}`)
}
