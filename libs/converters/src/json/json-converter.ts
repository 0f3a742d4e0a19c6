import { isUtf8 } from 'node:buffer'
import { defineConfig, parseJson } from '@tributary/config'
import { type Converter, LOGICAL, type Schema, type SchemaAndValue } from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import { CONVERTER_TYPE } from '../plugin.ts'
import { JsonReader, readSchemaless } from './json-reader.ts'
import { schemaFromJson, schemaText } from './json-schema.ts'
import { jsonBytes } from './json-text.ts'
import { JsonWriter, writeSchemaless } from './json-writer.ts'
import { KnownSchemas } from './known-schemas.ts'

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
  #writer = new JsonWriter({ numericDecimals: false, replaceNull: true })
  #reader = new JsonReader(true)
  #known = new KnownSchemas(1000)
  #envelopes = new WeakMap<Schema, string>()

  configure(config: Readonly<Record<string, string>>, isKey = false): void {
    const settings = JSON_SPEC.parse({ 'converter.type': isKey ? 'key' : 'value', ...config })
    const replaceNull = settings['replace.null.with.default']
    this.#schemas = settings['schemas.enable']
    this.#writer = new JsonWriter({
      numericDecimals: settings['decimal.format'].toUpperCase() === 'NUMERIC',
      replaceNull,
    })
    this.#reader = new JsonReader(replaceNull)
    this.#known = new KnownSchemas(settings['schemas.cache.size'])
    this.#envelopes = new WeakMap()
  }

  fromConnectData(_topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
    if (schema === null) {
      if (value === null || value === undefined) return null
      const payload = writeSchemaless(value)
      return jsonBytes(this.#schemas ? `{"schema":null,"payload":${payload}}` : payload)
    }
    const write = this.#writer.of(schema)
    return jsonBytes(this.#schemas ? `${this.#envelopeOf(schema)}${write(value)}}` : write(value))
  }

  toConnectData(_topic: string, value: Uint8Array | null): SchemaAndValue {
    if (value === null) return { schema: null, value: null }
    const text = textOf(value)
    if (!this.#schemas) return { schema: null, value: isBlank(text) ? null : schemaless(text, parsed(text)) }
    const known = this.#known.find(text)
    if (known !== null) {
      const payload = payloadOf(text, known.prefix.length)
      const json = exactly(payload, known.schema)
      if (json !== undefined) return { schema: known.schema, value: this.#reader.of(known.schema)(json) }
    }
    return this.#envelope(text)
  }

  #envelope(text: string): SchemaAndValue {
    // The scale of a Decimal is that of the number's text.
    const numbers = text.includes(LOGICAL.Decimal) ? 'raw' : 'value'
    const envelope = isBlank(text) ? null : parsed(text, numbers)
    if (!isEnvelope(envelope)) {
      throw converterErrors.CONVERTER_BAD_JSON(
        'JsonConverter with schemas.enable requires "schema" and "payload" fields and may not contain additional fields. If you are trying to deserialize plain JSON data, set schemas.enable=false in your converter configuration.',
      )
    }
    if (envelope.schema === null) return { schema: null, value: schemaless(text, envelope.payload) }
    const schema = this.#known.schemaOf(envelope.schema, (json) => schemaFromJson(json, this.#reader)!)
    this.#known.keep(text, schema)
    return { schema, value: this.#reader.of(schema)(envelope.payload) }
  }

  #envelopeOf(schema: Schema): string {
    let text = this.#envelopes.get(schema)
    if (text === undefined) {
      text = `{"schema":${schemaText(schema, this.#writer)},"payload":`
      this.#envelopes.set(schema, text)
    }
    return text
  }
}

interface Envelope {
  readonly schema: unknown
  readonly payload: unknown
}

function isEnvelope(json: unknown): json is Envelope {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return false
  return Object.keys(json).length === 2 && Object.hasOwn(json, 'schema') && Object.hasOwn(json, 'payload')
}

function textOf(bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  // What is no UTF-8 becomes U+FFFD, which the text may also hold itself.
  if (text.includes('\ufffd') && !isUtf8(bytes)) throw unreadable(new Error('the bytes are no UTF-8'))
  return text
}

function parsed(text: string, numbers: 'value' | 'raw' = 'value'): unknown {
  try {
    return parseJson(text, { numbers })
  } catch (cause) {
    throw unreadable(cause)
  }
}

function unreadable(cause: unknown): Error {
  return converterErrors.CONVERTER_BAD_JSON(
    'Converting byte[] to Kafka Connect data failed due to serialization error: ',
    { cause },
  )
}

/** What stands between the prefix and the brace that ends the text; '' if something follows the last brace. */
function payloadOf(text: string, from: number): string {
  let end = text.length - 1
  while (end > from && ' \t\n\r'.includes(text[end]!)) end--
  return text[end] === '}' ? text.slice(from, end) : ''
}

/** The payload of a known envelope; undefined if the text is no JSON by itself, as when members follow the payload. */
function exactly(text: string, schema: Schema): unknown {
  try {
    return parseJson(text, { numbers: needsSource(schema) ? 'raw' : 'value' })
  } catch {
    return undefined
  }
}

/** Matches text that may hold an integer which Java's Long does not. */
const BEYOND_LONG = /(?:^|[:[,\s-])\d{19}/

/** What JSON gives is what Connect gives, but for such integers and -0. */
function schemaless(text: string, json: unknown): unknown {
  return text.includes('-0') || BEYOND_LONG.test(text) ? readSchemaless(json) : json
}

const withSource = new WeakMap<Schema, boolean>()

/** Whether a schema holds a Decimal. */
function needsSource(schema: Schema): boolean {
  let needs = withSource.get(schema)
  if (needs === undefined) {
    const parts = [schema.keySchema, schema.valueSchema, ...(schema.fields ?? []).map((field) => field.schema)]
    needs = schema.name === LOGICAL.Decimal || parts.some((part) => part !== undefined && needsSource(part))
    withSource.set(schema, needs)
  }
  return needs
}

/** Whether there is nothing to read, which Jackson takes for null. */
function isBlank(text: string): boolean {
  return text.length === 0 || (text.charCodeAt(0) <= 0x20 && text.trim() === '')
}
