import { defineConfig, parseJson, stringifyJson } from '@tributary/config'
import { type Converter, type Schema, type SchemaAndValue } from '@tributary/connect-api'
import { schemaFromJson, schemaToJson } from './json-schema.ts'
import { converterErrors } from '../errors.ts'
import { CONVERTER_TYPE } from '../plugin.ts'

export const JSON_SPEC = defineConfig({
  ...CONVERTER_TYPE,
  'schemas.enable': {
    type: 'boolean',
    default: true,
    importance: 'high',
    group: 'Schemas',
    order: 0,
    width: 'medium',
    displayName: 'Enable Schemas',
    doc: 'Write {"schema":…,"payload":…}, and take nothing else. false: the bare value.',
  },
  'schemas.cache.size': {
    type: 'int',
    default: 1000,
    importance: 'high',
    group: 'Schemas',
    order: 1,
    width: 'medium',
    displayName: 'Schema Cache Size',
    doc: 'How many schemas that were read the converter keeps.',
  },
  'decimal.format': {
    type: 'string',
    default: 'BASE64',
    validator: { kind: 'oneOf', values: ['BASE64', 'NUMERIC'], ignoreCase: true },
    importance: 'low',
    group: 'Serialization',
    order: 0,
    width: 'medium',
    displayName: 'Decimal Format',
    doc: 'How Decimals are written: BASE64, the bytes of the unscaled value, or NUMERIC, a JSON number. Both are read.',
  },
  'replace.null.with.default': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group: 'Serialization',
    order: 1,
    width: 'medium',
    displayName: 'Replace null with default',
    doc: 'Write and read the default of a field where its value is null. false: null.',
  },
})

/**
 * `org.apache.kafka.connect.json.JsonConverter`: `{"schema":…,"payload":…}` with `schemas.enable` (the default, as in
 * Connect), the bare value without it. Bytes are Base64. 64-bit integers are JSON numbers of any size.
 */
export class JsonConverter implements Converter {
  #schemas = true
  readonly #schemaTexts = new WeakMap<Schema, string>()

  configure(config: Readonly<Record<string, string>>): void {
    this.#schemas = (config['schemas.enable'] ?? 'true').trim().toLowerCase() !== 'false'
  }

  fromConnectData(_topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
    if (value === null || value === undefined) {
      if (!this.#schemas || schema === null) return null
    }
    const payload = stringifyJson(toJson(schema, value ?? null))
    if (!this.#schemas) return Buffer.from(payload)
    return Buffer.from(`{"schema":${schema ? this.#schemaText(schema) : 'null'},"payload":${payload}}`)
  }

  toConnectData(topic: string, value: Uint8Array | null): SchemaAndValue {
    if (value === null) return { schema: null, value: null }
    let json: unknown
    try {
      json = parseJson(Buffer.from(value).toString('utf8'))
    } catch (cause) {
      throw converterErrors.CONVERTER_BAD_JSON(`a record of topic ${topic} is no JSON`, { cause })
    }
    if (!this.#schemas) return { schema: null, value: json }
    const envelope = json as { schema?: Record<string, unknown> | null; payload?: unknown } | null
    if (envelope === null || typeof envelope !== 'object' || !('schema' in envelope) || !('payload' in envelope)) {
      throw converterErrors.CONVERTER_BAD_JSON(
        `a record of topic ${topic} has no "schema" and "payload" fields, which JsonConverter with schemas.enable needs; set schemas.enable=false for plain JSON`,
      )
    }
    if (envelope.schema === null || envelope.schema === undefined) return { schema: null, value: envelope.payload }
    const schema = schemaFromJson(envelope.schema)
    return { schema, value: fromJson(schema, envelope.payload) }
  }

  #schemaText(schema: Schema): string {
    let text = this.#schemaTexts.get(schema)
    if (text === undefined) {
      text = stringifyJson(schemaToJson(schema))
      this.#schemaTexts.set(schema, text)
    }
    return text
  }
}

function toJson(schema: Schema | null, value: unknown): unknown {
  if (value === null || value === undefined) return schema?.default ?? null
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64')
  if (Array.isArray(value)) return value.map((v) => toJson(schema?.valueSchema ?? null, v))
  if (value instanceof Map) return mapToJson(schema, value)
  if (typeof value !== 'object') return value
  const struct = value as Record<string, unknown>
  if (schema?.fields) {
    return Object.fromEntries(schema.fields.map((f) => [f.name, toJson(f.schema, own(struct, f.name))]))
  }
  return Object.fromEntries(Object.entries(struct).map(([k, v]) => [k, toJson(schema?.valueSchema ?? null, v)]))
}

/** A field may be named `constructor`: what every object inherits is no value of a field. */
function own(struct: object, field: string): unknown {
  return Object.hasOwn(struct, field) ? (struct as Record<string, unknown>)[field] : undefined
}

/** Connect writes a map with string keys as an object, and any other map as a list of pairs. */
function mapToJson(schema: Schema | null, map: Map<unknown, unknown>): unknown {
  const entries = [...map].map(([k, v]) => [
    toJson(schema?.keySchema ?? null, k),
    toJson(schema?.valueSchema ?? null, v),
  ])
  return entries.every(([k]) => typeof k === 'string') ? Object.fromEntries(entries) : entries
}

function fromJson(schema: Schema, json: unknown): unknown {
  if (json === null || json === undefined) return null
  switch (schema.type) {
    case 'bytes':
      return Buffer.from(json as string, 'base64')
    case 'int64':
      return BigInt(json as number | bigint)
    case 'array':
      return (json as unknown[]).map((v) => fromJson(schema.valueSchema!, v))
    case 'map':
      return Array.isArray(json)
        ? new Map(
            json.map(([k, v]: [unknown, unknown]) => [
              fromJson(schema.keySchema!, k),
              fromJson(schema.valueSchema!, v),
            ]),
          )
        : new Map(Object.entries(json).map(([k, v]) => [k, fromJson(schema.valueSchema!, v)]))
    case 'struct':
      return Object.fromEntries((schema.fields ?? []).map((f) => [f.name, fromJson(f.schema, own(json, f.name))]))
    case 'int8':
    case 'int16':
    case 'int32':
    case 'float32':
    case 'float64':
    case 'boolean':
    case 'string':
      return json
  }
}
