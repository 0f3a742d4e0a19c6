import type { Schema, SchemaType } from '@tributary/connect-api'
import { classify, type Part } from './classify.ts'
import { badSchema } from './common.ts'
import * as names from './names.ts'
import { type Document, isObject, type Node, own } from './nodes.ts'
import { compileReader } from './reader.ts'
import type { JsonSchemaSettings } from './settings.ts'

type Building = { -readonly [K in keyof Schema]: Schema[K] } & {
  fields?: { name: string; schema: Schema }[]
  parameters?: Record<string, string>
}

/** The Connect schema of a JSON Schema, as JsonSchemaData.toConnectSchema makes it. Throws DataError `CONVERTER_BAD_SCHEMA`. */
export function toConnectSchema(document: Document, settings: JsonSchemaSettings, version?: number): Schema {
  if (!isObject(document.root)) throw badSchema('Unsupported schema type: a JSON Schema is no object')
  return new SchemaMaker(settings).schema({ raw: document.root, document }, version)
}

/** A few lines of references can stand for schemas without end. */
const MAX_PARTS = 100_000
const MAX_DEPTH = 200

class SchemaMaker {
  readonly #settings: JsonSchemaSettings
  /** Objects that were converted, or are being converted: a reference to one of them shares its fields. */
  readonly #structs = new Map<object, Building>()
  #ids = 0
  #unions = 0
  #parts = 0
  #depth = 0

  constructor(settings: JsonSchemaSettings) {
    this.#settings = settings
  }

  schema(node: Node, version?: number, optional = false): Schema {
    return this.#bounded(() => this.#part(classify(node), version, optional))
  }

  #bounded<T>(make: () => T): T {
    if (++this.#parts > MAX_PARTS || ++this.#depth > MAX_DEPTH) {
      throw badSchema(
        `A JSON Schema cannot be read: it has more than ${MAX_PARTS} parts, or nests deeper than ${MAX_DEPTH}`,
      )
    }
    const made = make()
    this.#depth--
    return made
  }

  #part(part: Part, version: number | undefined, optional: boolean): Schema {
    const { node, shape } = part
    switch (shape.kind) {
      case 'ref':
        return this.#reference(shape.target, version, optional)
      case 'all':
        return this.#allOf(part, shape.parts, version, optional)
      case 'one':
      case 'any': {
        const others = shape.parts.filter((each) => each.shape.kind !== 'null')
        if (shape.parts.length === 2 && others.length === 1)
          return this.#bounded(() => this.#part(others[0]!, version, true))
        return this.#finish(this.#union(shape.parts), part, version, optional)
      }
      case 'enum':
        return this.#finish(this.#enum(shape.values), part, version, optional)
      case 'array':
        return this.#finish(this.#array(node), part, version, optional)
      case 'object':
        return this.#finish(this.#object(node), part, version, optional)
      case 'boolean':
        return this.#finish({ type: 'boolean' }, part, version, optional)
      case 'string':
        return this.#finish({ type: connectType(part) === 'bytes' ? 'bytes' : 'string' }, part, version, optional)
      case 'number':
      case 'integer':
        return this.#finish({ type: numberType(connectType(part), shape.kind) }, part, version, optional)
      case 'null':
      case 'const':
        throw badSchema(`Unsupported schema type ${shape.kind} of a JSON Schema`)
    }
  }

  #reference(target: Node, version: number | undefined, optional: boolean): Schema {
    const known = this.#structs.get(target.raw)
    if (known === undefined) return this.schema(target, version, optional)
    known.parameters = { ...known.parameters, [names.ID]: `#id${++this.#ids}` }
    return { ...known, optional }
  }

  #union(parts: readonly Part[]): Building {
    const { generalized } = this.#settings
    const name = generalized ? `${names.UNION_PREFIX}${this.#unions++}` : names.ONE_OF
    const prefix = generalized ? names.UNION_FIELD_PREFIX : `${name}.field.`
    const fields: { name: string; schema: Schema }[] = []
    const union: Building = { type: 'struct', name, fields }
    if (generalized) union.parameters = { [names.GENERALIZED_UNION]: name }
    for (const part of parts) {
      if (part.shape.kind === 'null') union.optional = true
      else
        fields.push({
          name: `${prefix}${fields.length}`,
          schema: this.#bounded(() => this.#part(part, undefined, true)),
        })
    }
    return union
  }

  #enum(values: readonly unknown[]): Building {
    const { generalized } = this.#settings
    const name = generalized ? names.GENERALIZED_ENUM : names.ENUM
    const parameters: Record<string, string> = { [name]: '' }
    for (const [i, value] of values.entries()) {
      const symbol = value === null ? names.NULL_MARKER : typeof value === 'string' ? value : JSON.stringify(value)
      parameters[`${name}.${symbol}`] = generalized ? String(i) : symbol
    }
    return { type: 'string', parameters }
  }

  #array({ raw, document }: Node): Building {
    const items = own(raw, 'items')
    if (!isObject(items)) throw badSchema('Array schema did not specify the items type')
    const properties = own(items, 'properties')
    if (own(raw, names.TYPE) === 'map' && isObject(properties)) {
      const [key, value] = [own(properties, 'key'), own(properties, 'value')]
      if (!isObject(key) || !isObject(value)) throw badSchema('A map in a JSON Schema lacks its key or its value')
      return {
        type: 'map',
        keySchema: this.schema({ raw: key, document }),
        valueSchema: this.schema({ raw: value, document }),
      }
    }
    return { type: 'array', valueSchema: this.schema({ raw: items, document }) }
  }

  #object({ raw, document }: Node): Building {
    if (own(raw, names.TYPE) === 'map') {
      const values = own(raw, 'additionalProperties')
      if (!isObject(values)) throw badSchema('A map in a JSON Schema does not say the type of its values')
      return { type: 'map', keySchema: { type: 'string' }, valueSchema: this.schema({ raw: values, document }) }
    }
    const fields: { name: string; schema: Schema }[] = []
    const struct: Building = { type: 'struct', fields }
    this.#structs.set(raw, struct)
    const required = own(raw, 'required')
    for (const [name, property] of inOrder(own(raw, 'properties'))) {
      fields.push({ name, schema: this.#property({ raw: property, document }, isRequired(required, name)) })
    }
    return struct
  }

  #property(node: Node, required: boolean): Schema {
    return this.schema(node, undefined, this.#settings.optionalForNonRequired && !required)
  }

  /** `allOf`, and an object with keywords of several kinds. */
  #allOf(part: Part, parts: readonly Part[], version: number | undefined, optional: boolean): Schema {
    const properties = new Map<string, { readonly node: Node; readonly required: boolean }>()
    collectProperties(parts, properties, new Set(), () => this.#bounded(() => undefined))
    if (properties.size > 0) {
      const fields: { name: string; schema: Schema }[] = []
      const struct: Building = { type: 'struct', fields }
      this.#structs.set(part.node.raw, struct)
      for (const [name, { node, required }] of properties) fields.push({ name, schema: this.#property(node, required) })
      if (optional) struct.optional = true
      return struct
    }
    const chosen = primary(parts)
    if (chosen === undefined) throw badSchema('Unsupported criterion allOf of a JSON Schema')
    return this.#bounded(() => this.#part(chosen, version, optional))
  }

  /** Title, version, description, parameters and default. */
  #finish(schema: Building, part: Part, version: number | undefined, optional: boolean): Schema {
    if (part.common) {
      const { raw } = part.node
      const [title, doc] = [own(raw, 'title'), own(raw, 'description')]
      if (typeof title === 'string' && schema.name === undefined) schema.name = title
      const connectVersion = own(raw, names.VERSION)
      if (typeof connectVersion === 'number') schema.version = connectVersion
      else if (version !== undefined) schema.version = version
      if (typeof doc === 'string') schema.doc = doc
      const parameters = own(raw, names.PARAMETERS)
      if (isObject(parameters)) schema.parameters = { ...schema.parameters, ...texts(parameters) }
      const fallback = own(raw, 'default')
      if (fallback !== undefined && fallback !== null) schema.default = compileReader(schema)(fallback)
    }
    if (optional) schema.optional = true
    return schema
  }
}

function texts(parameters: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters).map(([key, value]) => [key, String(value)]))
}

function connectType(part: Part): unknown {
  return part.common ? own(part.node.raw, names.TYPE) : undefined
}

const NUMBER_TYPES = new Set<unknown>(['int8', 'int16', 'int32', 'int64', 'float32', 'float64', 'bytes'])

function numberType(type: unknown, kind: 'number' | 'integer'): SchemaType {
  if (type === undefined) return kind === 'integer' ? 'int64' : 'float64'
  if (!NUMBER_TYPES.has(type)) throw badSchema(`Unsupported type ${JSON.stringify(type)}`)
  return type as SchemaType
}

/** By `connect.index`; properties without it stay in the order of the text. */
function inOrder(properties: unknown): (readonly [string, Readonly<Record<string, unknown>>])[] {
  if (!isObject(properties)) return []
  const entries = Object.entries(properties).filter((entry): entry is [string, Readonly<Record<string, unknown>>] =>
    isObject(entry[1]),
  )
  const indexed = entries.map(([name, raw], i) => {
    const index = own(raw, names.INDEX)
    return { name, raw, index: typeof index === 'number' ? index : i }
  })
  return indexed.sort((a, b) => a.index - b.index).map(({ name, raw }) => [name, raw] as const)
}

function isRequired(required: unknown, name: string): boolean {
  return Array.isArray(required) && required.includes(name)
}

function collectProperties(
  parts: readonly Part[],
  into: Map<string, { readonly node: Node; readonly required: boolean }>,
  seen: Set<object>,
  count: () => void,
): void {
  for (const { node, shape } of parts) {
    count()
    if (shape.kind === 'all') collectProperties(shape.parts, into, seen, count)
    if (shape.kind === 'ref' && !seen.has(shape.target.raw)) {
      seen.add(shape.target.raw)
      collectProperties([classify(shape.target)], into, seen, count)
    }
    if (shape.kind !== 'object') continue
    const required = own(node.raw, 'required')
    for (const [name, raw] of inOrder(own(node.raw, 'properties'))) {
      into.set(name, { node: { raw, document: node.document }, required: isRequired(required, name) })
    }
  }
}

/** The part that decides the type, in Confluent's order. */
function primary(parts: readonly Part[]): Part | undefined {
  const find = (...kinds: Part['shape']['kind'][]): Part | undefined =>
    parts.findLast((part) => kinds.includes(part.shape.kind))
  const combined = find('all', 'one', 'any')
  if (combined) return combined
  const [text, number] = [find('string'), find('number', 'integer')]
  if (find('const')) return text ?? number
  if (find('enum')) return text ? find('enum') : number
  if (text) return number ?? text
  return find('ref')
}
