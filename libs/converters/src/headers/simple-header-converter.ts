import { type HeaderConverter, OPTIONAL_STRING_SCHEMA, type Schema, type SchemaAndValue } from '@tributary/connect-api'

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
