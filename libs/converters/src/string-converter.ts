import { type Converter, OPTIONAL_STRING_SCHEMA, type Schema, type SchemaAndValue } from '@tributary/connect-api'
import { converterErrors } from './errors.ts'

/** `org.apache.kafka.connect.storage.StringConverter`: text as UTF-8; other primitives by their text. */
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
