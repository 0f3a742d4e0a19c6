import { stringifyJson } from '@tributary/config'
import { LOGICAL, type Schema } from '@tributary/connect-api'
import { badSchema, isStringKey, isUnion } from './common.ts'
import * as names from './names.ts'
import type { JsonSchemaSettings } from './settings.ts'
import { compileWriter } from './writer.ts'

/** A JSON Schema with its members in the order in which Confluent's serializer writes them. */
export type JsonObject = Record<string, unknown>

/** The text that is registered for a Connect schema, as JsonSchemaData.fromConnectSchema makes it. Throws DataError `CONVERTER_BAD_SCHEMA`. */
export function jsonSchemaText(schema: Schema, settings: JsonSchemaSettings): string {
  return stringifyJson(new JsonSchemaMaker(settings).schema(schema))
}

const MAX_DEPTH = 100

class JsonSchemaMaker {
  readonly #settings: JsonSchemaSettings
  /** `io.confluent.connect.json.Id` of schemas that were written: a later one is a reference. */
  readonly #ids = new Set<string>()
  #depth = 0

  constructor(settings: JsonSchemaSettings) {
    this.#settings = settings
  }

  /** `index`: the place of the field; `ignoreOptional`: inside a union, which says null itself. */
  schema(schema: Schema, index?: number, ignoreOptional = false): JsonObject {
    if (++this.#depth > MAX_DEPTH)
      throw badSchema(`The schema of a record has no JSON Schema: it nests deeper than ${MAX_DEPTH}`)
    const id = schema.parameters?.[names.ID]
    if (id !== undefined) this.#ids.add(id)
    const made = this.#made(schema, id, index, ignoreOptional)
    this.#depth--
    return made
  }

  #made(schema: Schema, id: string | undefined, index: number | undefined, ignoreOptional: boolean): JsonObject {
    const withId = id === undefined ? {} : { $id: id }
    const withIndex = index === undefined ? {} : { [names.INDEX]: index }
    if (schema.type === 'struct' && (isUnion(schema) || schema.optional === true)) {
      const subschemas = isUnion(schema)
        ? [...(schema.optional === true ? [NULL] : []), ...this.#members(schema)]
        : [NULL, this.schema({ ...schema, optional: false, parameters: withoutId(schema.parameters) }, undefined)]
      return { ...withId, oneOf: subschemas, ...withIndex }
    }
    const { type, keywords } = this.#keywords(schema)
    const common = {
      ...(schema.name === undefined ? {} : { title: schema.name }),
      ...(schema.doc === undefined ? {} : { description: schema.doc }),
    }
    const fallback = schema.default === undefined || schema.default === null ? {} : { default: this.#defaultOf(schema) }
    const props = (at: object): JsonObject => ({
      ...this.#version(schema),
      ...at,
      ...type,
      ...this.#parameters(schema),
    })
    if (schema.optional === true && !ignoreOptional) {
      return { ...withId, oneOf: [NULL, { ...common, ...fallback, ...keywords, ...props({}) }], ...withIndex }
    }
    return { ...common, ...withId, ...fallback, ...keywords, ...props(withIndex) }
  }

  #members(union: Schema): JsonObject[] {
    return (union.fields ?? []).map((field, i) => this.schema({ ...field.schema, optional: false }, i, true))
  }

  /** The keywords of a type, and the `connect.type` that tells which of Connect's types it is. */
  #keywords(schema: Schema): { readonly type: JsonObject; readonly keywords: JsonObject } {
    const typed = (connectType: string, keywords: JsonObject) => ({ type: { [names.TYPE]: connectType }, keywords })
    switch (schema.type) {
      case 'int8':
      case 'int16':
      case 'int32':
      case 'int64':
        return typed(schema.type, { type: 'integer' })
      case 'float32':
      case 'float64':
        return typed(schema.type, { type: 'number' })
      case 'boolean':
        return { type: {}, keywords: { type: 'boolean' } }
      case 'string':
        return { type: {}, keywords: this.#enum(schema) ?? { type: 'string' } }
      case 'bytes':
        return typed('bytes', { type: schema.name === LOGICAL.Decimal ? 'number' : 'string' })
      case 'array':
        return { type: {}, keywords: { type: 'array', items: this.#referred(schema.valueSchema!) } }
      case 'map':
        return typed('map', this.#map(schema))
      case 'struct':
        return { type: {}, keywords: this.#object(schema) }
    }
  }

  #enum({ parameters }: Schema): JsonObject | undefined {
    const name = this.#settings.generalized ? names.GENERALIZED_ENUM : names.ENUM
    if (parameters?.[names.GENERALIZED_ENUM] === undefined && parameters?.[names.ENUM] === undefined) return undefined
    const symbols = Object.keys(parameters).filter((key) => key.startsWith(`${name}.`))
    return { enum: symbols.map((key) => key.slice(name.length + 1)).map((s) => (s === names.NULL_MARKER ? null : s)) }
  }

  #map({ keySchema, valueSchema }: Schema): JsonObject {
    if (isStringKey(keySchema!)) return { type: 'object', additionalProperties: this.schema(valueSchema!) }
    const properties = { key: this.schema(keySchema!, 0), value: this.schema(valueSchema!, 1) }
    return { type: 'array', items: { type: 'object', properties } }
  }

  #object(schema: Schema): JsonObject {
    const properties: JsonObject = {}
    for (const [i, field] of (schema.fields ?? []).entries()) {
      const value = this.#referred(field.schema, i)
      Object.defineProperty(properties, field.name, { value, enumerable: true, configurable: true, writable: true })
    }
    return {
      type: 'object',
      ...(Object.keys(properties).length === 0 ? {} : { properties }),
      ...(this.#settings.additionalProperties ? {} : { additionalProperties: false }),
    }
  }

  #referred(schema: Schema, index?: number): JsonObject {
    const id = schema.parameters?.[names.ID]
    return id !== undefined && this.#ids.has(id) ? { $ref: id } : this.schema(schema, index)
  }

  #version({ version }: Schema): JsonObject {
    return version === undefined ? {} : { [names.VERSION]: version }
  }

  #parameters({ parameters }: Schema): JsonObject {
    const kept = Object.entries(parameters ?? {}).filter(([key]) => !key.startsWith(names.NAMESPACE))
    return kept.length === 0 ? {} : { [names.PARAMETERS]: Object.fromEntries(kept) }
  }

  #defaultOf(schema: Schema): unknown {
    const text = compileWriter(schema, this.#settings)(schema.default)
    return text === null ? null : (JSON.parse(text) as unknown)
  }
}

const NULL: JsonObject = { type: 'null' }

function withoutId(parameters: Schema['parameters']): Record<string, string> {
  return Object.fromEntries(Object.entries(parameters ?? {}).filter(([key]) => key !== names.ID))
}
