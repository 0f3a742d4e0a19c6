import { isUtf8 } from 'node:buffer'
import {
  ConnectError,
  DataError,
  LOGICAL,
  type Props,
  type Schema,
  type SchemaAndValue,
  type SourceRecord,
} from '@tributary/connect-api'
import { Lru } from '@tributary/schema-registry'
import { converterErrors } from '../errors.ts'
import { fit, isObject, Misfit } from './fit.ts'
import { Inference } from './infer.ts'
import type { BodySettings } from './keys.ts'
import { legal, legalName } from './legal-names.ts'
import { parseBody } from './parse.ts'
import { registeredSchema } from './registered-schema.ts'
import { schemaFromText } from './schema-text.ts'

/** Topics, and forms of the outermost value, whose inferred schemas are kept. */
const MAX_INFERENCES = 1000

/** What a source wants of the data besides the settings. */
export interface BodyOptions {
  /** Fields have names that Avro and Protobuf allow: `detail-type` is `detail_type`. Two that then are the same are a misfit. */
  readonly legalNames?: boolean
  /** The fields of an inferred schema have Protobuf numbers that follow from their names. */
  readonly numbered?: boolean
  /** Only an object is a body. */
  readonly objectsOnly?: boolean
  /** The name of the inferred schema for a topic. Default: `<topic>_value`, with `_` for characters that Avro does not allow. */
  readonly inferredName?: (topic: string) => string
}

/** Reads the bodies that a source receives as data (`value.format=json`). */
export class BodyReader {
  readonly #settings: BodySettings
  readonly #props: Props
  readonly #options: BodyOptions
  readonly #inferences: Lru<string, Inference> | null
  #schema: Schema | null
  #raw = false

  /** `props` has the keys of the registry. Throws ConfigError BODY_SCHEMA. */
  constructor(settings: BodySettings, props: Props, options: BodyOptions = {}) {
    const text = settings['value.schema']
    this.#options = options
    this.#settings = settings
    this.#props = props
    this.#schema = text === null || text === '' ? null : schemaFromText(text, 'value.schema')
    this.#raw = this.#schema !== null && hasDecimal(this.#schema)
    const infers = settings['value.schema.infer'] && this.#schema === null && settings['value.schema.subject'] === null
    this.#inferences = infers ? new Lru(MAX_INFERENCES) : null
  }

  /**
   * Asks the registry for the latest schema of `value.schema.subject`, if that is set. Call it on each connect, before the first body.
   * Rejects with ConfigError for a schema that cannot be used, and with NotConnectedError while the registry is away and no schema is
   * known: with the one of the connect before, the source goes on, since a feed does not send again what was not received.
   */
  async connect(signal: AbortSignal): Promise<void> {
    const subject = this.#settings['value.schema.subject']
    if (subject === null || subject === '') return
    try {
      this.use((await registeredSchema({ subject }, this.#props, signal)).schema)
    } catch (error) {
      if (error instanceof ConnectError && error.kind === 'retriable') {
        if (this.#schema !== null) return
        throw converterErrors.BODY_REGISTRY_AWAY(error.message, { cause: error })
      }
      if (error instanceof DataError) {
        throw converterErrors.BODY_SCHEMA(`the schema of subject ${subject} cannot be had: ${error.message}`, {
          field: 'value.schema.subject',
          cause: error,
        })
      }
      throw error
    }
  }

  /** Throws RetriableError BODY_REGISTRY_AWAY while the schema of the registry is not known. */
  check(): void {
    const subject = this.#settings['value.schema.subject']
    if (subject === null || subject === '' || this.#schema !== null) return
    throw converterErrors.BODY_REGISTRY_AWAY(
      `the schema of subject ${subject} is not known before the task is connected`,
    )
  }

  /** Sets the schema of the bodies from now on. */
  use(schema: Schema): void {
    this.#schema = schema
    this.#raw = hasDecimal(schema)
  }

  /** The data of a body. Throws DataError BODY_JSON and BODY_MISFIT. */
  read(body: string | Uint8Array, topic: string): SchemaAndValue {
    const value = parseBody(typeof body === 'string' ? body : textOf(body), this.#raw)
    if (this.#options.objectsOnly === true && !isObject(value)) {
      throw converterErrors.BODY_MISFIT('the body is JSON, but no object')
    }
    if (this.#schema !== null) return { schema: this.#schema, value: this.#fitted(this.#schema, value) }
    if (this.#inferences === null) return { schema: null, value }
    return this.#inferenceOf(topic, value).read(this.#options.legalNames === true ? legal(value) : value)
  }

  /** The record with the data of its value, which is text or bytes; one with an error if the value cannot be read. */
  apply(record: SourceRecord): SourceRecord {
    const body = record.value
    if (record.error !== undefined || (typeof body !== 'string' && !(body instanceof Uint8Array))) return record
    const original = record.original ?? (typeof body === 'string' ? Buffer.from(body) : body)
    try {
      const { schema, value } = this.read(body, record.topic)
      return { ...record, value, valueSchema: schema, original, originalIsText: false }
    } catch (error) {
      if (!(error instanceof DataError)) throw error
      return { ...record, value: null, valueSchema: null, original, originalIsText: false, error }
    }
  }

  #fitted(schema: Schema, value: unknown): unknown {
    try {
      const dropUnknown = this.#settings['value.schema.unknown.fields'] === 'drop'
      return fit(schema, value, { dropUnknown, legalNames: this.#options.legalNames === true })
    } catch (error) {
      if (!(error instanceof Misfit)) throw error
      const where = error.path.length === 0 ? '' : `, ${error.path.join('.').slice(0, 200)}`
      throw converterErrors.BODY_MISFIT(`the body does not fit its schema${where}: ${error.message}`)
    }
  }

  /** A feed may send objects and arrays; each form has a schema of its own. */
  #inferenceOf(topic: string, value: unknown): Inference {
    const form = Array.isArray(value) ? 'array' : value !== null && typeof value === 'object' ? 'object' : typeof value
    const key = `${form} ${topic}`
    let inference = this.#inferences!.get(key)
    if (inference === undefined) {
      const { inferredName = (of) => `${legalName(of)}_value`, numbered } = this.#options
      const most = this.#settings['value.schema.infer.max.schemas']
      inference = new Inference(inferredName(topic), most, numbered)
      this.#inferences!.set(key, inference)
    }
    return inference
  }
}

/** The reader that the settings ask for; null: bodies stay text. Throws ConfigError BODY_SCHEMA. */
export function bodyReader(settings: BodySettings, props: Props): BodyReader | null {
  if (settings['value.format'] !== 'json') return null
  // In the order of the fields a new field would take the number of another one, and the registry refuse the schema.
  const numbered = /(?:^|\.)Protobuf(?:Converter)?$/.test((props['value.converter'] ?? '').trim())
  return new BodyReader(settings, props, { numbered })
}

function textOf(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw converterErrors.BODY_JSON('the body is no JSON: it is not UTF-8')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}

/** A schema may contain itself. */
function hasDecimal(schema: Schema, seen = new Set<Schema>()): boolean {
  const { name, fields = [], keySchema, valueSchema } = schema
  if (name === LOGICAL.Decimal) return true
  if (seen.has(schema)) return false
  seen.add(schema)
  const inner = [keySchema, valueSchema, ...fields.map((field) => field.schema)]
  return inner.some((of) => of !== undefined && hasDecimal(of, seen))
}
