import { isUtf8 } from 'node:buffer'
import { defineConfig, parseJson } from '@tributary/config'
import { type Converter, NotReadyError, type Schema, type SchemaAndValue } from '@tributary/connect-api'
import {
  frame,
  needFormat,
  REGISTRY_KEYS,
  REGISTRY_PREFIXES,
  type ResolvedSchema,
  SchemaReader,
  SchemaWriter,
  unframe,
} from '@tributary/schema-registry'
import { converterErrors } from '../errors.ts'
import { CONVERTER_TYPE } from '../plugin.ts'
import { jsonSchemaText } from './from-schema.ts'
import { type Document, parseDocument } from './nodes.ts'
import { compileReader, hasDecimal, type ReadJson } from './reader.ts'
import { JSON_SCHEMA_KEYS, jsonSchemaSettings, type JsonSchemaSettings } from './settings.ts'
import { toConnectSchema } from './to-schema.ts'
import { compileValidator, isAjvLoaded, loadAjv, type Validate } from './validator.ts'
import { compileWriter, type WriteJson } from './writer.ts'

export const JSON_SCHEMA_SPEC = defineConfig(
  { ...CONVERTER_TYPE, ...REGISTRY_KEYS, ...JSON_SCHEMA_KEYS },
  { prefixes: REGISTRY_PREFIXES },
)

/** What writes the records of one Connect schema. */
interface Writer {
  /** The magic byte and the id. */
  readonly header: Uint8Array
  readonly write: WriteJson
  readonly validate: Validate | null
}

interface Reader {
  readonly schema: Schema
  readonly read: ReadJson
  readonly numbers: 'value' | 'raw'
  readonly validate: Validate | null
}

/** `io.confluent.connect.json.JsonSchemaConverter`. */
export class JsonSchemaConverter implements Converter {
  #settings!: JsonSchemaSettings
  #writer!: SchemaWriter<Schema, Writer>
  #reader!: SchemaReader<Reader>
  readonly #texts = new WeakMap<Schema, string>()

  configure(config: Readonly<Record<string, string>>, isKey: boolean): void {
    this.#settings = jsonSchemaSettings(config)
    this.#writer = new SchemaWriter(config, isKey, {
      describe: (schema) => ({ format: 'JSON', schema: this.#text(schema), recordName: schema.name ?? null }),
      prepare: (schema, chosen, strict) => this.#prepareWriter(schema, chosen, strict),
    })
    this.#reader = new SchemaReader(config, (schema) => this.#prepareReader(schema))
  }

  readOnly(told: (what: string) => void): void {
    this.#writer.readOnly(told)
  }

  fromConnectData(topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
    if (schema === null) {
      if (value === null || value === undefined) return null
      throw converterErrors.CONVERTER_UNSUPPORTED_VALUE(
        `JsonSchemaConverter writes values with a schema only, and a record for topic ${topic} has none; let its source give one, or use JsonConverter with schemas.enable=false`,
      )
    }
    if ((value === null || value === undefined) && schema.optional !== true && (schema.default ?? null) === null)
      return null
    const { header, write, validate } = this.#writer.find(topic, schema)
    let text: string | null
    try {
      text = write(value)
    } catch (cause) {
      throw failed('Converting Kafka Connect data to byte[]', topic, cause)
    }
    if (text === null) return null
    const why = validate?.(JSON.parse(text))
    if (why !== undefined)
      throw failed(
        'Converting Kafka Connect data to byte[]',
        topic,
        new Error(`the record does not fit its JSON Schema: ${why}`),
      )
    const bytes = Buffer.allocUnsafe(header.length + Buffer.byteLength(text))
    bytes.set(header)
    bytes.write(text, header.length, 'utf8')
    return bytes
  }

  toConnectData(topic: string, bytes: Uint8Array | null): SchemaAndValue {
    if (bytes === null) return { schema: null, value: null }
    const { id, payload } = unframe(bytes)
    const { schema, read, numbers, validate } = this.#reader.find(id)
    try {
      const text = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8')
      // What is no UTF-8 becomes U+FFFD, which the text may also hold itself.
      if (text.includes('\ufffd') && !isUtf8(payload)) throw new Error('the bytes are no UTF-8')
      const json = parseJson(text, { numbers })
      const why = validate?.(JSON.parse(text))
      if (why !== undefined) throw new Error(`the record does not fit its JSON Schema: ${why}`)
      if (json === null) return { schema: null, value: null }
      return { schema, value: read(json) }
    } catch (cause) {
      throw failed('Converting byte[] to Kafka Connect data', topic, cause)
    }
  }

  #text(schema: Schema): string {
    let text = this.#texts.get(schema)
    if (text === undefined) this.#texts.set(schema, (text = jsonSchemaText(schema, this.#settings)))
    return text
  }

  /** `strict`: a record that the schema of its frame does not allow is refused. */
  #prepareWriter(schema: Schema, chosen: ResolvedSchema, strict: boolean): Writer {
    needFormat(chosen, 'JSON', 'JsonSchemaConverter')
    const validates = this.#settings.failInvalid || (strict && chosen.schema !== this.#text(schema))
    return {
      header: frame(chosen.id, null, new Uint8Array(0)),
      write: compileWriter(schema, this.#settings),
      validate: validates ? validatorOf(documentOf(chosen)) : null,
    }
  }

  #prepareReader(chosen: ResolvedSchema): Reader {
    const document = documentOf(chosen)
    const schema = toConnectSchema(document, this.#settings, chosen.version)
    return {
      schema,
      read: compileReader(schema),
      numbers: hasDecimal(schema) ? 'raw' : 'value',
      validate: this.#settings.failInvalid ? validatorOf(document) : null,
    }
  }
}

function validatorOf(document: Document): Validate {
  if (!isAjvLoaded()) throw new NotReadyError('the package ajv', loadAjv)
  return compileValidator(document)
}

function documentOf(schema: ResolvedSchema): Document {
  needFormat(schema, 'JSON', 'JsonSchemaConverter')
  return parseDocument(
    schema.schema,
    schema.dependencies.map(({ name, schema: text }) => ({ name, text })),
  )
}

function failed(what: string, topic: string, cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause)
  return converterErrors.CONVERTER_JSON_SCHEMA(`${what} failed due to serialization error of topic ${topic}: ${why}`, {
    cause,
  })
}
