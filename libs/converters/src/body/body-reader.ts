import { isUtf8 } from 'node:buffer'
import {
  ConnectError,
  DataError,
  LOGICAL,
  NotConnectedError,
  type Props,
  type Schema,
  type SchemaAndValue,
  type SourceRecord,
} from '@tributary/connect-api'
import { Lru } from '@tributary/schema-registry'
import { converterErrors } from '../errors.ts'
import { fit, Misfit } from './fit.ts'
import { Inference, legalName } from './infer.ts'
import type { BodySettings } from './keys.ts'
import { parseBody } from './parse.ts'
import { registeredSchema } from './registered-schema.ts'
import { schemaFromText } from './schema-text.ts'

/** Topics, and forms of the outermost value, whose inferred schemas are kept. */
const MAX_INFERENCES = 1000

/** Reads the bodies that a source receives as data (`value.format=json`). */
export class BodyReader {
  readonly #settings: BodySettings
  readonly #props: Props
  readonly #inferences: Lru<string, Inference> | null
  #schema: Schema | null
  #raw = false

  /** `props` has the keys of the registry. Throws ConfigError BODY_SCHEMA. */
  constructor(settings: BodySettings, props: Props) {
    const text = settings['value.schema']
    this.#settings = settings
    this.#props = props
    this.#schema = text === null || text === '' ? null : schemaFromText(text, 'value.schema')
    this.#raw = this.#schema !== null && hasDecimal(this.#schema)
    const infers = settings['value.schema.infer'] && this.#schema === null && settings['value.schema.subject'] === null
    this.#inferences = infers ? new Lru(MAX_INFERENCES) : null
  }

  /**
   * Asks the registry for the latest schema of `value.schema.subject`, if that is set. Call it on each connect, before the first body.
   * Rejects with NotConnectedError while the registry is away, ConfigError for a schema that cannot be used.
   */
  async connect(signal: AbortSignal): Promise<void> {
    const subject = this.#settings['value.schema.subject']
    if (subject === null || subject === '') return
    try {
      this.#schema = await registeredSchema(subject, this.#props, signal)
      this.#raw = hasDecimal(this.#schema)
    } catch (error) {
      if (error instanceof ConnectError && error.kind === 'retriable') {
        throw new NotConnectedError(error.code, error.message, { cause: error })
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

  /** The data of a body. Throws DataError BODY_JSON and BODY_MISFIT. */
  read(body: string | Uint8Array, topic: string): SchemaAndValue {
    const value = parseBody(typeof body === 'string' ? body : textOf(body), this.#raw)
    if (this.#schema !== null) return { schema: this.#schema, value: this.#fitted(this.#schema, value) }
    if (this.#inferences === null) return { schema: null, value }
    return this.#inferenceOf(topic, value).read(value)
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
      return fit(schema, value, { dropUnknown: this.#settings['value.schema.unknown.fields'] === 'drop' })
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
      inference = new Inference(`${legalName(topic)}_value`, this.#settings['value.schema.infer.max.schemas'])
      this.#inferences!.set(key, inference)
    }
    return inference
  }
}

/** The reader that the settings ask for; null: bodies stay text. Throws ConfigError BODY_SCHEMA. */
export function bodyReader(settings: BodySettings, props: Props): BodyReader | null {
  return settings['value.format'] === 'json' ? new BodyReader(settings, props) : null
}

function textOf(bytes: Uint8Array): string {
  if (!isUtf8(bytes)) throw converterErrors.BODY_JSON('the body is no JSON: it is not UTF-8')
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
}

function hasDecimal({ name, fields = [], keySchema, valueSchema }: Schema): boolean {
  if (name === LOGICAL.Decimal) return true
  const inner = [keySchema, valueSchema, ...fields.map(({ schema }) => schema)]
  return inner.some((schema) => schema !== undefined && hasDecimal(schema))
}
