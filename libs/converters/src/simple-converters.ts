import {
  type Converter,
  type HeaderConverter,
  OPTIONAL_BYTES_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  type Schema,
  type SchemaAndValue,
} from '@tributary/connect-api'
import { converterErrors } from './errors.ts'

/** `org.apache.kafka.connect.storage.StringConverter`: writes text as UTF-8, and numbers and booleans as their text. */
export class StringConverter implements Converter {
  readonly keepsText = true

  configure(): void {}

  fromConnectData(topic: string, _schema: Schema | null, value: unknown): Uint8Array | null {
    if (typeof value === 'string') return Buffer.from(value)
    if (value === null || value === undefined) return null
    if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
      return Buffer.from(String(value))
    }
    throw converterErrors.CONVERTER_UNSUPPORTED_VALUE(
      `StringConverter cannot write the value of a record for topic ${topic}: it is no text or number; use a converter that fits its schema`,
    )
  }

  toConnectData(_topic: string, value: Uint8Array | null): SchemaAndValue {
    return { schema: OPTIONAL_STRING_SCHEMA, value: value === null ? null : Buffer.from(value).toString('utf8') }
  }
}

/** `org.apache.kafka.connect.converters.ByteArrayConverter`: writes bytes as they are and accepts nothing else. */
export class ByteArrayConverter implements Converter {
  readonly keepsBytes = true

  configure(): void {}

  fromConnectData(topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
    if (value === null || value === undefined) return null
    if (value instanceof Uint8Array) return value
    throw converterErrors.CONVERTER_UNSUPPORTED_VALUE(
      `ByteArrayConverter writes bytes only, but a record for topic ${topic} holds ${schema?.type ?? typeof value}; use StringConverter or JsonConverter`,
    )
  }

  toConnectData(_topic: string, value: Uint8Array | null): SchemaAndValue {
    return { schema: OPTIONAL_BYTES_SCHEMA, value }
  }
}

/**
 * The default of the workers when a connector names no converter: text as StringConverter writes it, bytes as
 * ByteArrayConverter does. A configuration without `value.converter` therefore writes what the examples of its
 * connector show.
 */
export class PlainConverter implements Converter {
  readonly keepsText = true
  readonly keepsBytes = true
  readonly #text = new StringConverter()
  configure(): void {}

  fromConnectData(topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
    return value instanceof Uint8Array ? value : this.#text.fromConnectData(topic, schema, value)
  }

  toConnectData(_topic: string, value: Uint8Array | null): SchemaAndValue {
    return { schema: OPTIONAL_BYTES_SCHEMA, value }
  }
}

/**
 * `org.apache.kafka.connect.storage.SimpleHeaderConverter`: writes text as it is, numbers and booleans as their text,
 * bytes as Base64, arrays and maps as JSON. Reads every header as text; Connect guesses a type, which nothing here
 * needs.
 */
export class SimpleHeaderConverter implements HeaderConverter {
  configure(): void {}

  fromConnectHeader(_topic: string, _name: string, _schema: Schema | null, value: unknown): Uint8Array | null {
    if (value === null || value === undefined) return null
    if (typeof value === 'string') return Buffer.from(value)
    if (value instanceof Uint8Array) return Buffer.from(Buffer.from(value).toString('base64'))
    if (typeof value === 'object') {
      return Buffer.from(JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? Number(v) : v)))
    }
    return Buffer.from(String(value as number | bigint | boolean))
  }

  toConnectHeader(_topic: string, _name: string, value: Uint8Array | null): SchemaAndValue {
    return { schema: OPTIONAL_STRING_SCHEMA, value: value === null ? null : Buffer.from(value).toString('utf8') }
  }
}
