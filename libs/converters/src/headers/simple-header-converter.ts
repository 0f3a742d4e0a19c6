import {
  BYTES_SCHEMA,
  type HeaderConverter,
  parseValue,
  type Schema,
  type SchemaAndValue,
  TooDeep,
  valueText,
} from '@tributary/connect-api'

/**
 * `org.apache.kafka.connect.storage.SimpleHeaderConverter`: writes text as it is, numbers and booleans as their text, bytes as
 * Base64, dates as ISO 8601, lists, maps and structs much like JSON. Reads the type from the text: `1` is an int8.
 */
export class SimpleHeaderConverter implements HeaderConverter {
  configure(): void {}

  fromConnectHeader(_topic: string, _name: string, schema: Schema | null, value: unknown): Uint8Array | null {
    if (value === null || value === undefined) return null
    return Buffer.from(typeof value === 'string' ? value : valueText(value, schema))
  }

  toConnectHeader(_topic: string, _name: string, value: Uint8Array | null): SchemaAndValue {
    if (value === null) return { schema: null, value: null }
    try {
      return parseValue(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8'))
    } catch (error) {
      if (!(error instanceof TooDeep)) throw error
      return { schema: BYTES_SCHEMA, value }
    }
  }
}
