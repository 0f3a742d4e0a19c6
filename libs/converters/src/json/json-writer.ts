import {
  type Decimal,
  dateToDays,
  decimalText,
  decimalToBytes,
  type Field,
  fits,
  hasDefault,
  isLong,
  javaClass,
  LOGICAL,
  type Schema,
  timestampToMs,
  timeToMs,
} from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import { base64, jsonDouble, jsonFloat, jsonString } from './json-text.ts'

/** Gives the JSON text of a value. Throws DataError. */
export type Write = (value: unknown) => string

export interface WriterOptions {
  readonly numericDecimals: boolean
  readonly replaceNull: boolean
}

/** Writes values as JsonConverter.convertToJson and Jackson do. The writer of each schema is made once. */
export class JsonWriter {
  readonly #options: WriterOptions
  readonly #writers = new WeakMap<Schema, Write>()

  constructor(options: WriterOptions) {
    this.#options = options
  }

  of(schema: Schema): Write {
    let write = this.#writers.get(schema)
    if (write === undefined) {
      write = this.#nullable(schema, this.#logical(schema) ?? this.#typed(schema))
      this.#writers.set(schema, write)
    }
    return write
  }

  #nullable(schema: Schema, write: Write): Write {
    if (hasDefault(schema) && this.#options.replaceNull) {
      let text: string | null = null
      return (value) => (value === null || value === undefined ? (text ??= write(schema.default)) : write(value))
    }
    if (schema.optional === true) return (value) => (value === null || value === undefined ? 'null' : write(value))
    return (value) => {
      if (value !== null && value !== undefined) return write(value)
      throw unsupported('Conversion error: null value for field that is required and has no default value')
    }
  }

  #logical(schema: Schema): Write | null {
    switch (schema.name) {
      case LOGICAL.Decimal:
        return this.#options.numericDecimals
          ? checked(schema, 'Decimal', 'BigDecimal', (value) => decimalText(value as Decimal))
          : checked(schema, 'Decimal', 'BigDecimal', (v) => `"${base64(decimalToBytes(schema, v as Decimal))}"`)
      case LOGICAL.Date:
        return checked(schema, 'Date', 'Date', (value) => `${dateToDays(schema, value as Date)}`)
      case LOGICAL.Time:
        return checked(schema, 'Time', 'Date', (value) => `${timeToMs(schema, value as Date)}`)
      case LOGICAL.Timestamp:
        return checked(schema, 'Timestamp', 'Date', (value) => `${timestampToMs(schema, value as Date)}`)
      default:
        return null
    }
  }

  #typed(schema: Schema): Write {
    switch (schema.type) {
      case 'int8':
      case 'int16':
      case 'int64':
        return (value) => (fits(schema, value) ? `${value as number | bigint}` : invalid(schema, value))
      case 'int32':
        return (value) => (typeof value === 'number' && (value | 0) === value ? `${value}` : invalid(schema, value))
      case 'float32':
        return (value) => (typeof value === 'number' ? jsonFloat(value) : invalid(schema, value))
      case 'float64':
        return (value) => (typeof value === 'number' ? jsonDouble(value) : invalid(schema, value))
      case 'boolean':
        return (value) => (typeof value === 'boolean' ? String(value) : invalid(schema, value))
      case 'string':
        return (value) => (typeof value === 'string' ? jsonString(value) : invalid(schema, value))
      case 'bytes':
        return (value) => (value instanceof Uint8Array ? `"${base64(value)}"` : invalidBytes(value))
      case 'array':
        return arrayWriter(schema, this.of(schema.valueSchema!))
      case 'map':
        return this.#map(schema)
      case 'struct':
        return this.#struct(schema)
    }
  }

  #map(schema: Schema): Write {
    const keys = this.of(schema.keySchema!)
    const values = this.of(schema.valueSchema!)
    const asObject = schema.keySchema!.type === 'string'
    return (value) => {
      if (!fits(schema, value)) return invalid(schema, value)
      const entries = value instanceof Map ? (value as Map<unknown, unknown>) : Object.entries(value as object)
      return asObject ? objectText(entries, keys, values) : pairsText(entries, keys, values)
    }
  }

  #struct(schema: Schema): Write {
    const fields = (schema.fields ?? []).map((field, i) => this.#member(field, i))
    if (fields.length === 0) return (value) => (fits(schema, value) ? '{}' : invalid(schema, value))
    return (value) => {
      if (!fits(schema, value)) return invalid(schema, value)
      const struct = value as Record<string, unknown>
      let text = ''
      for (const { name, prefix, inherited, write } of fields) {
        text += prefix + write(inherited && !Object.hasOwn(struct, name) ? null : struct[name])
      }
      return `${text}}`
    }
  }

  #member({ name, schema }: Field, i: number): { name: string; prefix: string; inherited: boolean; write: Write } {
    const prefix = `${i === 0 ? '{' : ','}${jsonString(name)}:`
    // A field may be named `constructor`, which every object inherits.
    return { name, prefix, inherited: name in Object.prototype, write: this.of(schema) }
  }
}

function checked(schema: Schema, type: string, java: string, write: Write): Write {
  return (value) => {
    if (fits(schema, value)) return write(value)
    throw unsupported(`Invalid type for ${type}, expected ${java} but was ${javaClass(value)}`)
  }
}

function arrayWriter(schema: Schema, write: Write): Write {
  return (value) => {
    if (!Array.isArray(value)) return invalid(schema, value)
    let text = '['
    for (let i = 0; i < value.length; i++) text += i === 0 ? write(value[i]) : `,${write(value[i])}`
    return `${text}]`
  }
}

type Entries = Iterable<readonly [unknown, unknown]>

function objectText(entries: Entries, keys: Write, values: Write): string {
  let text = ''
  for (const [key, value] of entries) {
    const name = keys(key)
    // The key null of an optional key schema becomes text.
    text += `${text === '' ? '{' : ','}${name.startsWith('"') ? name : `"${name}"`}:${values(value)}`
  }
  return text === '' ? '{}' : `${text}}`
}

function pairsText(entries: Entries, keys: Write, values: Write): string {
  let text = ''
  for (const [key, value] of entries) text += `${text === '' ? '[' : ','}[${keys(key)},${values(value)}]`
  return text === '' ? '[]' : `${text}]`
}

/** The JSON text of a value without schema. */
export function writeSchemaless(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return jsonString(value)
    case 'number':
      return isLong(value) ? `${value}` : jsonDouble(value)
    case 'boolean':
    case 'bigint':
      return `${value}`
    case 'object':
      return value === null ? 'null' : writeObject(value)
    case 'undefined':
      return 'null'
    default:
      throw noType(value)
  }
}

function writeObject(value: object): string {
  if (Array.isArray(value)) return writeArray(value)
  if (value instanceof Uint8Array) return `"${base64(value)}"`
  if (value instanceof Map) {
    const map = value as Map<unknown, unknown>
    for (const key of map.keys()) if (typeof key !== 'string') return pairsText(map, writeSchemaless, writeSchemaless)
    return objectText(map, writeSchemaless, writeSchemaless)
  }
  const prototype = Object.getPrototypeOf(value) as unknown
  if (prototype !== Object.prototype && prototype !== null) throw noType(value)
  let text = ''
  for (const name of Object.keys(value)) {
    const member = (value as Record<string, unknown>)[name]
    text += `${text === '' ? '{' : ','}${jsonString(name)}:${writeSchemaless(member)}`
  }
  return text === '' ? '{}' : `${text}}`
}

function writeArray(value: readonly unknown[]): string {
  let text = '['
  for (let i = 0; i < value.length; i++) text += i === 0 ? writeSchemaless(value[i]) : `,${writeSchemaless(value[i])}`
  return `${text}]`
}

function noType(value: unknown): Error {
  return unsupported(`Java class ${javaClass(value)} does not have corresponding schema type.`)
}

function invalid(schema: Schema, value: unknown): never {
  throw unsupported(`Invalid type for ${schema.type.toUpperCase()}: ${javaClass(value)}`)
}

function invalidBytes(value: unknown): never {
  throw unsupported(`Invalid type for bytes type: ${javaClass(value)}`)
}

function unsupported(message: string): Error {
  return converterErrors.CONVERTER_UNSUPPORTED_VALUE(message)
}
