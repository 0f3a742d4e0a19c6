import { parseJson } from '@tributary/config'
import { converterErrors } from '../errors.ts'
import type { AvroField, AvroType, PrimitiveName, RecordType } from './avro-type.ts'

const PRIMITIVES: readonly string[] = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string']
/** Members that the specification names, for each type; all others are properties. */
const MEMBERS = ['type', 'name', 'namespace', 'doc', 'aliases', 'fields', 'symbols', 'size', 'items', 'values']
/** A registry can be anything: its schemas are nested no deeper than this. */
const MAX_DEPTH = 100
/** Bytes of a value of a fixed type. */
const MAX_FIXED = 16 * 1024 * 1024

type Json = Readonly<Record<string, unknown>>

/**
 * Parses an Avro schema. `dependencies`: the texts of schemas that it names, each after those that it names itself. Throws DataError for
 * what is no Avro schema.
 */
export function parseSchema(text: string, dependencies: readonly string[] = []): AvroType {
  const parser = new Parser()
  for (const dependency of dependencies) parser.parse(jsonOf(dependency), '', 0)
  return parser.parse(jsonOf(text), '', 0)
}

function jsonOf(text: string): unknown {
  // A primitive may be written without quotes.
  if (PRIMITIVES.includes(text.trim())) return text.trim()
  try {
    return parseJson(text)
  } catch (cause) {
    throw invalid('it is no JSON', cause)
  }
}

class Parser {
  readonly #named = new Map<string, AvroType>()

  parse(json: unknown, namespace: string, depth: number): AvroType {
    if (depth > MAX_DEPTH) throw invalid(`its types are nested more than ${MAX_DEPTH} deep`)
    if (typeof json === 'string') return this.#byName(json, namespace)
    if (Array.isArray(json)) return this.#union(json, namespace, depth)
    if (typeof json !== 'object' || json === null) throw invalid('a type is no text, list or object')
    const object = json as Json
    const { type } = object
    if (typeof type === 'object') return this.parse(type, namespace, depth + 1)
    if (typeof type !== 'string') throw invalid('an object has no "type"')
    switch (type) {
      case 'record':
      case 'error':
        return this.#record(object, namespace, depth)
      case 'enum': {
        const named = this.#names(object, namespace)
        const symbols = texts(object['symbols'])
        const fallback = typeof object['default'] === 'string' ? object['default'] : undefined
        return this.#keep({ ...named, type, symbols, default: fallback, props: propsOf(object, 'default') })
      }
      case 'fixed': {
        const { size } = object
        if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > MAX_FIXED) {
          throw invalid(`Invalid fixed size, ${String(size)}`)
        }
        return this.#keep({ ...this.#names(object, namespace), type, size, props: propsOf(object) })
      }
      case 'array':
        return { type, items: this.parse(object['items'], namespace, depth + 1), props: propsOf(object) }
      case 'map':
        return { type, values: this.parse(object['values'], namespace, depth + 1), props: propsOf(object) }
      default:
        if (!PRIMITIVES.includes(type)) return this.#byName(type, namespace)
        return { type: type as PrimitiveName, props: propsOf(object) }
    }
  }

  #byName(name: string, namespace: string): AvroType {
    if (PRIMITIVES.includes(name)) return { type: name as PrimitiveName, props: {} }
    const found = this.#named.get(fullName(name, namespace)) ?? this.#named.get(name)
    if (found === undefined) throw invalid(`Undefined name: "${name.slice(0, 200)}"`)
    return found
  }

  #union(json: readonly unknown[], namespace: string, depth: number): AvroType {
    const branches = json.map((each) => this.parse(each, namespace, depth + 1))
    if (branches.some(({ type }) => type === 'union')) throw invalid('Nested union')
    const names = new Set(branches.map((branch) => ('name' in branch ? branch.name : branch.type)))
    if (names.size < branches.length) throw invalid('Duplicate in union')
    return { type: 'union', branches, props: {} }
  }

  #record(object: Json, outer: string, depth: number): AvroType {
    const named = this.#names(object, outer)
    const fields: AvroField[] = []
    const record: RecordType = { ...named, type: 'record', fields, props: propsOf(object) }
    // Before the fields, which may name it.
    this.#keep(record)
    const namespace = named.name.slice(0, Math.max(named.name.lastIndexOf('.'), 0))
    if (!Array.isArray(object['fields'])) throw invalid(`record ${named.name} has no fields`)
    const names = new Set<string>()
    for (const field of object['fields'] as readonly Json[]) {
      const name = field?.['name']
      if (typeof name !== 'string') throw invalid(`a field of record ${named.name} has no name`)
      if (names.has(name)) throw invalid(`Duplicate field ${name} in record ${named.name}`)
      names.add(name)
      fields.push({
        name,
        aliases: field['aliases'] === undefined ? [] : texts(field['aliases']),
        type: this.parse(field['type'], namespace, depth + 1),
        doc: typeof field['doc'] === 'string' ? field['doc'] : undefined,
        default: field['default'],
      })
    }
    return record
  }

  #names(object: Json, outer: string): { name: string; aliases: readonly string[]; doc: string | undefined } {
    const { name, namespace, doc, aliases } = object
    if (typeof name !== 'string' || name === '') throw invalid('No name in schema')
    const within = typeof namespace === 'string' ? namespace : outer
    const full = fullName(name, within)
    const space = full.slice(0, Math.max(full.lastIndexOf('.'), 0))
    return {
      name: full,
      aliases: aliases === undefined ? [] : texts(aliases).map((alias) => fullName(alias, space)),
      doc: typeof doc === 'string' ? doc : undefined,
    }
  }

  #keep<T extends AvroType & { readonly name: string }>(type: T): T {
    if (this.#named.has(type.name)) throw invalid(`Can't redefine: ${type.name}`)
    this.#named.set(type.name, type)
    return type
  }
}

function fullName(name: string, namespace: string): string {
  return name.includes('.') || namespace === '' ? name : `${namespace}.${name}`
}

function texts(value: unknown): string[] {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value
  throw invalid('a list of names or symbols is none')
}

function propsOf(object: Json, ...more: readonly string[]): Json {
  const known = [...MEMBERS, ...more]
  return Object.fromEntries(Object.entries(object).filter(([key]) => !known.includes(key)))
}

function invalid(reason: string, cause?: unknown): Error {
  return converterErrors.CONVERTER_AVRO_SCHEMA(`the Avro schema cannot be used: ${reason}`, { cause })
}
