import { type Converter, OPTIONAL_BYTES_SCHEMA, type Schema, type SchemaAndValue } from '@tributary/connect-api'
import { converterErrors } from './errors.ts'

/** `org.apache.kafka.connect.converters.ByteArrayConverter`: bytes as they are, and nothing else. */
export class ByteArrayConverter implements Converter {
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
