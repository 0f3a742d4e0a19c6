import {
  dateToDays,
  Decimal,
  decimalText,
  decimalToBytes,
  doubleText,
  fits,
  floatText,
  hasDefault,
  javaClass,
  LOGICAL,
  type Schema,
  timestampToMs,
  timeToMs,
  withoutDefault,
} from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import { isStringKey, isUnion } from './common.ts'
import type { JsonSchemaSettings } from './settings.ts'

/** The JSON text of a value. null: no node at all, so a struct leaves its member out. Throws DataError. */
export type WriteJson = (value: unknown) => string | null

/** What writes the values of a schema, as JsonSchemaData.fromConnectData does. A schema may contain itself. */
export function compileWriter(schema: Schema, settings: JsonSchemaSettings): WriteJson {
  const compiler = new WriterCompiler(settings)
  const write = compiler.writer(schema)
  return (value) => {
    compiler.restart()
    return write(value)
  }
}

const MAX_DEPTH = 1000

class WriterCompiler {
  readonly #settings: JsonSchemaSettings
  readonly #writers = new Map<Schema, WriteJson>()
  #depth = 0

  constructor(settings: JsonSchemaSettings) {
    this.#settings = settings
  }

  /** A value that threw has left its depth behind. */
  restart(): void {
    this.#depth = 0
  }

  writer(schema: Schema): WriteJson {
    const known = this.#writers.get(schema)
    if (known) return known
    let own: WriteJson | undefined
    const absent = this.#absent(schema)
    const write: WriteJson = (value) => {
      if (value === null || value === undefined) return absent()
      if (own === undefined) own = this.#present(schema)
      return own(value)
    }
    this.#writers.set(schema, write)
    return write
  }

  /** The default, then null for what is optional, then nothing. */
  #absent(schema: Schema): () => string | null {
    const fallback = schema.optional === true ? 'null' : null
    if (!hasDefault(schema) || this.#settings.ignoreDefault) return () => fallback
    let text: string | null | undefined
    return () => (text === undefined ? (text = this.#present(schema)(schema.default)) : text)
  }

  #present(schema: Schema): WriteJson {
    const logical = this.#logical(schema)
    if (logical) return logical
    switch (schema.type) {
      case 'array':
        return this.#array(schema)
      case 'map':
        return this.#map(schema)
      case 'struct':
        return isUnion(schema) ? this.#union(schema) : this.#struct(schema)
      default:
        return scalar(schema)
    }
  }

  #logical(schema: Schema): WriteJson | null {
    const dated =
      (type: string, write: (value: Date) => number): WriteJson =>
      (value) => {
        if (value instanceof Date) return String(write(value))
        throw failed(`Invalid type for ${type}, expected Date but was ${javaClass(value)}`)
      }
    switch (schema.name ?? '') {
      case LOGICAL.Decimal:
        return (value) => {
          if (!(value instanceof Decimal))
            throw failed(`Invalid type for Decimal, expected BigDecimal but was ${javaClass(value)}`)
          return this.#settings.numericDecimals
            ? decimalText(value)
            : `"${decimalToBytes(schema, value).toString('base64')}"`
        }
      case LOGICAL.Date:
        return dated('Date', (value) => dateToDays(schema, value))
      case LOGICAL.Time:
        return dated('Time', (value) => timeToMs(schema, value))
      case LOGICAL.Timestamp:
        return dated('Timestamp', (value) => timestampToMs(schema, value))
      default:
        return null
    }
  }

  #array(schema: Schema): WriteJson {
    const element = this.writer(schema.valueSchema!)
    return (value) => {
      if (!Array.isArray(value)) throw invalid(schema, value)
      this.#enter()
      const text = value.map((v) => element(v) ?? 'null').join(',')
      this.#depth--
      return `[${text}]`
    }
  }

  #map(schema: Schema): WriteJson {
    const key = this.writer(schema.keySchema!)
    const member = this.writer(schema.valueSchema!)
    const asObject = isStringKey(schema.keySchema!)
    return (value) => {
      if (!fits(schema, value)) throw invalid(schema, value)
      this.#enter()
      const entries = value instanceof Map ? [...(value as Map<unknown, unknown>)] : Object.entries(value as object)
      const texts = entries.map(([k, v]) =>
        asObject
          ? `${key(k) ?? 'null'}:${member(v) ?? 'null'}`
          : `{"key":${key(k) ?? 'null'},"value":${member(v) ?? 'null'}}`,
      )
      this.#depth--
      return asObject ? `{${texts.join(',')}}` : `[${texts.join(',')}]`
    }
  }

  /** The first member with a value. */
  #union(schema: Schema): WriteJson {
    const members = (schema.fields ?? []).map((field) => ({ name: field.name, write: this.writer(field.schema) }))
    const absent = this.#absent(schema)
    return (value) => {
      if (!fits(schema, value)) throw invalid(schema, value)
      for (const { name, write } of members) {
        const own = withoutDefault(value as object, name)
        if (own !== null) return write(own)
      }
      return absent()
    }
  }

  #struct(schema: Schema): WriteJson {
    const fields = (schema.fields ?? []).map(({ name, schema: type }) => ({
      name,
      key: `${JSON.stringify(name)}:`,
      write: this.writer(type),
    }))
    return (value) => {
      if (typeof value !== 'object' || value === null || Array.isArray(value) || !fits(schema, value))
        throw invalid(schema, value)
      this.#enter()
      let text = ''
      for (const { name, key, write } of fields) {
        const member = write(withoutDefault(value, name))
        if (member !== null) text += text === '' ? key + member : `,${key}${member}`
      }
      this.#depth--
      return `{${text}}`
    }
  }

  #enter(): void {
    if (++this.#depth > MAX_DEPTH) throw failed(`a value nests deeper than ${MAX_DEPTH}`)
  }
}

function scalar(schema: Schema): WriteJson {
  const write = scalarText(schema)
  return (value) => {
    if (!fits(schema, value)) throw invalid(schema, value)
    return write(value)
  }
}

function scalarText({ type }: Schema): (value: unknown) => string {
  switch (type) {
    case 'string':
      return JSON.stringify
    case 'bytes':
      return (value) => `"${bytesOf(value as Uint8Array).toString('base64')}"`
    case 'float32':
      return (value) => finite(value as number, floatText)
    case 'float64':
      return (value) => finite(value as number, double)
    default:
      return String
  }
}

/** Java and JavaScript write such numbers alike, and JavaScript is faster. */
function double(value: number): string {
  const size = Math.abs(value)
  return size >= 1e-3 && size < 1e7 && !Number.isInteger(value) ? String(value) : doubleText(value)
}

function bytesOf(value: Uint8Array): Buffer {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

/** As Jackson writes them: what JSON has no number for is a string. */
function finite(value: number, text: (value: number) => string): string {
  return Number.isFinite(value) ? text(value) : `"${value}"`
}

function invalid(schema: Schema, value: unknown): Error {
  return failed(`Invalid type for ${schema.type.toUpperCase()}: ${javaClass(value)}`)
}

function failed(why: string): Error {
  return converterErrors.CONVERTER_JSON_SCHEMA(why)
}
