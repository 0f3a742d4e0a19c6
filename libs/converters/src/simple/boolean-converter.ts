import { type Converter, javaClass, type Schema, type SchemaAndValue } from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'

const OPTIONAL_BOOLEAN_SCHEMA: Schema = { type: 'boolean', optional: true }

/** `org.apache.kafka.connect.converters.BooleanConverter`: one byte, 1 or 0. */
export class BooleanConverter implements Converter {
  configure(): void {}

  fromConnectData(_topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
    if (schema !== null && schema.type !== 'boolean') {
      throw converterErrors.CONVERTER_UNSUPPORTED_VALUE(
        `Invalid schema type for BooleanConverter: ${schema.type.toUpperCase()}`,
      )
    }
    if (value === null || value === undefined) return null
    if (typeof value === 'boolean') return Buffer.of(value ? 1 : 0)
    throw converterErrors.CONVERTER_UNSUPPORTED_VALUE(
      `BooleanConverter is not compatible with objects of type ${javaClass(value, schema)}`,
    )
  }

  toConnectData(_topic: string, value: Uint8Array | null): SchemaAndValue {
    if (value === null) return { schema: OPTIONAL_BOOLEAN_SCHEMA, value: null }
    if (value.length === 1 && value[0]! <= 1) return { schema: OPTIONAL_BOOLEAN_SCHEMA, value: value[0] === 1 }
    throw converterErrors.CONVERTER_BAD_BYTES('Failed to deserialize boolean: ')
  }
}
