import {
  type Converter,
  javaClass,
  OPTIONAL_BYTES_SCHEMA,
  type Schema,
  type SchemaAndValue,
} from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'

/** `org.apache.kafka.connect.converters.ByteArrayConverter`: writes bytes as they are and accepts nothing else. */
export class ByteArrayConverter implements Converter {
  readonly keepsBytes = true

  configure(): void {}

  fromConnectData(_topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
    if (schema !== null && schema.type !== 'bytes') {
      throw converterErrors.CONVERTER_UNSUPPORTED_VALUE(
        `Invalid schema type for ByteArrayConverter: ${schema.type.toUpperCase()}`,
      )
    }
    if (value === null || value === undefined) return null
    if (value instanceof Uint8Array) return value
    throw converterErrors.CONVERTER_UNSUPPORTED_VALUE(
      `ByteArrayConverter is not compatible with objects of type ${javaClass(value, schema)}`,
    )
  }

  toConnectData(_topic: string, value: Uint8Array | null): SchemaAndValue {
    return { schema: OPTIONAL_BYTES_SCHEMA, value }
  }
}
