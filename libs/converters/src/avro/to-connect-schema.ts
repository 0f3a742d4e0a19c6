import { stringifyJson } from '@tributary/config'
import { type Field, LOGICAL, type Schema, toLogical } from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import { GENERALIZED_ENUM, GENERALIZED_UNION } from '../generalized.ts'
import { type AvroType, type EnumType, nameOf, NAMESPACE, type RecordType, type UnionType } from './avro-type.ts'
import * as names from './connect-names.ts'
import { jsonToDefault } from './json-defaults.ts'
import type { AvroOptions } from './options.ts'

type Building = { -readonly [K in keyof Schema]: Schema[K] } & { parameters?: Record<string, string> }

/** What the schema of a field is given by the field. */
interface Use {
  readonly optional: boolean
  /** JSON; undefined: none. */
  readonly default?: unknown
}

const PLAIN: Use = { optional: false }

/**
 * The Connect schema of an Avro type, as Confluent's AvroData gives it. A type that contains itself becomes a schema that contains
 * itself. null: the values have no schema (ANYTHING_JSON). Throws DataError for a type that Connect has no schema for.
 */
export function toConnectSchema(type: AvroType, options: AvroOptions): Schema | null {
  return isAnything(type) ? null : new Translation(options).schema(type, PLAIN)
}

export function isAnything(type: AvroType): boolean {
  return type.type === 'record' && type.name === `${NAMESPACE}.Anything`
}

class Translation {
  readonly #options: AvroOptions
  /** Records within which the translation is, with the schemas that are to become theirs. */
  readonly #open = new Map<RecordType, { readonly view: Building; readonly optional: boolean }[]>()
  /** Records without a default, by whether they are optional. */
  readonly #done = new Map<RecordType, Map<boolean, Schema>>()
  readonly #fields = new Map<RecordType, readonly Field[]>()
  /** Maps by their entries; null: within it the translation is. */
  readonly #maps = new Map<RecordType, Building | null>()
  #unions = 0

  constructor(options: AvroOptions) {
    this.#options = options
  }

  schema(type: AvroType, use: Use): Schema {
    if (type.type === 'union') return this.#union(type, use)
    if (type.type !== 'record' || use.default !== undefined) return this.#schema(type, use)
    const { optional } = use
    const done = this.#done.get(type)?.get(optional)
    if (done !== undefined) return done
    const open = this.#open.get(type)
    if (open === undefined) {
      const schema = this.#schema(type, use)
      const both = this.#done.get(type) ?? new Map<boolean, Schema>()
      this.#done.set(type, both.set(optional, schema))
      return schema
    }
    // Within itself the record is not complete yet.
    const view: Building = { type: 'struct' }
    open.push({ view, optional })
    return view
  }

  #schema(type: Exclude<AvroType, UnionType>, use: Use): Schema {
    const schema = this.#base(type)
    this.#annotate(schema, type, use)
    if (type.type === 'record') {
      for (const { view, optional } of this.#open.get(type) ?? []) Object.assign(view, schema, { optional })
      this.#open.delete(type)
    }
    if (use.optional) schema.optional = true
    return schema
  }

  #base(type: Exclude<AvroType, UnionType>): Building {
    switch (type.type) {
      case 'boolean':
      case 'string':
        return { type: type.type }
      case 'float':
        return { type: 'float32' }
      case 'double':
        return { type: 'float64' }
      case 'int':
        return this.#int(type)
      case 'long':
        return type.props['logicalType'] === 'timestamp-millis'
          ? logical('int64', LOGICAL.Timestamp)
          : { type: 'int64' }
      case 'bytes':
      case 'fixed':
        return this.#bytes(type)
      case 'enum':
        return this.#enum(type)
      case 'array':
        return this.#array(type.items)
      case 'map':
        return { type: 'map', keySchema: { type: 'string' }, valueSchema: this.schema(type.values, PLAIN) }
      case 'record':
        return this.#record(type)
      case 'null':
        throw invalid('Standalone null schemas are not supported by this converter')
    }
  }

  #int({ props }: AvroType): Building {
    if (props['logicalType'] === 'date') return logical('int32', LOGICAL.Date)
    if (props['logicalType'] === 'time-millis') return logical('int32', LOGICAL.Time)
    const connect = props['connect.type']
    if (connect === undefined || props['logicalType'] !== undefined) return { type: 'int32' }
    if (connect === 'int8' || connect === 'int16') return { type: connect }
    throw invalid('Connect type annotation for Avro int field is null')
  }

  #bytes(type: AvroType): Building {
    let schema: Building = { type: 'bytes' }
    const parameters: Record<string, string> = {}
    if (type.props['logicalType'] === 'decimal') {
      const { scale, precision } = type.props
      schema = logical('bytes', LOGICAL.Decimal)
      parameters['scale'] = String(Number.isInteger(scale) ? scale : 0)
      if (precision !== undefined && precision !== names.DEFAULT_PRECISION) {
        if (typeof precision !== 'number') throw invalid('precision property must be a JSON Integer.')
        parameters[names.PRECISION] = String(precision)
      }
    }
    if (type.type === 'fixed') parameters[names.FIXED_SIZE] = String(type.size)
    if (Object.keys(parameters).length > 0) schema.parameters = parameters
    return schema
  }

  #enum(type: EnumType): Building {
    const { metaData, sumTypes } = this.#options
    const parameters: Record<string, string> = {}
    const simple = type.name.slice(type.name.lastIndexOf('.') + 1)
    if (metaData && type.doc !== undefined) parameters[`${NAMESPACE}.enum.doc.${simple}`] = type.doc
    if (metaData && type.default !== undefined) parameters[`${NAMESPACE}.enum.default.${simple}`] = type.default
    const parameter = sumTypes ? GENERALIZED_ENUM : names.AVRO_ENUM
    parameters[parameter] = type.name
    for (const [index, symbol] of type.symbols.entries()) {
      parameters[`${parameter}.${symbol}`] = sumTypes ? String(index) : symbol
    }
    return { type: 'string', parameters }
  }

  #array(items: AvroType): Building {
    if (!isMapEntry(items)) return { type: 'array', valueSchema: this.schema(items, PLAIN) }
    const done = this.#maps.get(items)
    if (done === null) throw invalid('a map whose keys are no texts contains itself')
    if (done !== undefined) return { ...done }
    this.#maps.set(items, null)
    const [key, value] = items.fields
    if (items.fields.length !== 2 || key?.name !== 'key' || value?.name !== 'value') {
      throw invalid(
        'Found map encoded as array of key-value pairs, but array elements do not match the expected format.',
      )
    }
    const [keySchema, valueSchema] = [key, value].map((field) => this.schema(field.type, PLAIN))
    const map: Building = { type: 'map', keySchema: keySchema!, valueSchema: valueSchema! }
    this.#maps.set(items, map)
    return { ...map }
  }

  #record(type: RecordType): Building {
    const { metaData } = this.#options
    const parameters: Record<string, string> = {}
    if (metaData && type.doc !== undefined) parameters[`${NAMESPACE}.record.doc`] = type.doc
    for (const { name, doc } of type.fields) {
      if (metaData && doc !== undefined) parameters[`${NAMESPACE}.field.doc.${name}`] = doc
    }
    const schema: Building = { type: 'struct', fields: this.#fieldsOf(type) }
    if (Object.keys(parameters).length > 0) schema.parameters = parameters
    return schema
  }

  #fieldsOf(type: RecordType): readonly Field[] {
    const known = this.#fields.get(type)
    if (known !== undefined) return known
    if (this.#open.has(type)) throw invalid(`record ${type.name} contains itself with a default`)
    this.#open.set(type, [])
    const fields = type.fields.map(({ name, type: own, default: json }) => ({
      name,
      schema: this.schema(own, { optional: false, default: json }),
    }))
    this.#fields.set(type, fields)
    return fields
  }

  #union({ branches }: UnionType, use: Use): Schema {
    const [only] = branches
    if (branches.length === 1 && this.#options.flatten) return this.schema(only!, PLAIN)
    if (branches.length === 2 && branches.some(({ type }) => type === 'null')) {
      // The default of such a union is that of its first branch.
      const value = branches.find(({ type }) => type !== 'null')
      if (value !== undefined) {
        return this.schema(value, { optional: true, default: use.default ?? undefined })
      }
    }
    const name = this.#options.sumTypes ? `connect_union_${this.#unions++}` : names.AVRO_UNION
    const fields: Field[] = []
    for (const [index, branch] of branches.entries()) {
      if (branch.type === 'null') continue
      const field = names.branchField(branch, index, this.#options)
      if (fields.some((each) => each.name === field)) {
        throw invalid('Multiple union schemas map to the Connect union field name')
      }
      fields.push({ name: field, schema: this.schema(branch, { optional: true }) })
    }
    return {
      type: 'struct',
      name,
      ...(branches.some(({ type }) => type === 'null') ? { optional: true } : {}),
      ...(this.#options.sumTypes ? { parameters: { [GENERALIZED_UNION]: name } } : {}),
      fields,
    }
  }

  /** What `connect.*` properties and the field add. */
  #annotate(schema: Building, type: Exclude<AvroType, UnionType>, use: Use): void {
    const { props } = type
    const { metaData } = this.#options
    if (metaData && typeof props['connect.doc'] === 'string') schema.doc = props['connect.doc']
    const version = props['connect.version']
    if (version !== undefined) {
      if (typeof version !== 'number') throw invalid(`Invalid Connect version found: ${stringifyJson(version)}`)
      schema.version = version
    }
    const parameters = { ...schema.parameters, ...(metaData ? parametersOf(props['connect.parameters']) : {}) }
    for (const [key, value] of Object.entries(props)) if (key.startsWith('avro')) parameters[key] = textOf(value)
    const given = use.default ?? undefined
    const own = props['connect.default'] ?? undefined
    if (given !== undefined && metaData && own === undefined) parameters[`${NAMESPACE}.field.default`] = 'true'
    if (Object.keys(parameters).length > 0) schema.parameters = parameters
    const name = nameIn(type)
    if (name !== null && schema.name === undefined) schema.name = name
    const logical = names.isLogical(schema)
    const json = given ?? own
    if (json !== undefined) {
      const value = jsonToDefault(schema, type, json, this.#options)
      // A default that does not fit is left out, as by Confluent.
      if (value !== undefined && value !== null) schema.default = logical ? toLogical(schema, value) : value
    }
  }
}

function nameIn(type: AvroType): string | null {
  const name = type.props['connect.name'] ?? ('name' in type ? nameOf(type) : null)
  if (name === null) return null
  if (typeof name !== 'string') throw invalid(`Invalid schema name: ${stringifyJson(name)}`)
  return name.startsWith(`${NAMESPACE}.${names.DEFAULT_NAME}`) ? null : name
}

function parametersOf(json: unknown): Record<string, string> {
  if (json === undefined) return {}
  if (typeof json !== 'object' || json === null) throw invalid('Expected JSON object for schema parameters')
  for (const value of Object.values(json)) {
    if (typeof value !== 'string') throw invalid('Expected schema parameter values to be strings')
  }
  return json as Record<string, string>
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : stringifyJson(value)
}

function logical(type: Schema['type'], name: string): Building {
  return { type, name, version: 1 }
}

export function isMapEntry(type: AvroType): type is RecordType {
  if (type.type !== 'record') return false
  return type.name === `${NAMESPACE}.${names.MAP_ENTRY}` || type.props['connect.internal.type'] === names.MAP_ENTRY
}

function invalid(reason: string): Error {
  return converterErrors.CONVERTER_AVRO_SCHEMA(`the Avro schema has no schema in Connect: ${reason}`)
}
