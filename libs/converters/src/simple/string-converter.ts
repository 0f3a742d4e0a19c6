import { defineConfig } from '@tributary/config'
import {
  type Converter,
  javaText,
  OPTIONAL_STRING_SCHEMA,
  type Schema,
  type SchemaAndValue,
} from '@tributary/connect-api'
import { converterErrors } from '../errors.ts'
import { CONVERTER_TYPE } from '../plugin.ts'
import { type TextEncoding, textEncoding } from './text-encoding.ts'

export const STRING_SPEC = defineConfig({
  ...CONVERTER_TYPE,
  'converter.encoding': {
    type: 'string',
    default: 'UTF-8',
    importance: 'high',
    width: 'medium',
    displayName: 'Encoding',
    doc: 'How text becomes bytes: UTF-8, UTF-16, UTF-16BE, UTF-16LE, ISO-8859-1 or US-ASCII.',
  },
})

/**
 * `org.apache.kafka.connect.storage.StringConverter`: writes text as it is, and anything else as Java's `toString` gives it:
 * `1.0E10`, `Struct{a=1,b=x}`. For bytes Java gives the address of the array, which is an error here.
 */
export class StringConverter implements Converter {
  keepsText = true
  #encoding: TextEncoding | null = null

  configure(config: Readonly<Record<string, string>> = {}): void {
    this.#encoding = textEncoding(config['converter.encoding'] ?? 'UTF-8')
    this.keepsText = this.#encoding === null
  }

  fromConnectData(topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
    if (value === null || value === undefined) return null
    const text = typeof value === 'string' ? value : this.#textOf(topic, schema, value)
    return this.#encoding === null ? Buffer.from(text) : this.#encoding.encode(text)
  }

  toConnectData(_topic: string, value: Uint8Array | null): SchemaAndValue {
    if (value === null) return { schema: OPTIONAL_STRING_SCHEMA, value: null }
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    const text = this.#encoding === null ? bytes.toString('utf8') : this.#encoding.decode(bytes)
    return { schema: OPTIONAL_STRING_SCHEMA, value: text }
  }

  #textOf(topic: string, schema: Schema | null, value: unknown): string {
    if (!(value instanceof Uint8Array)) return javaText(value, schema)
    throw converterErrors.CONVERTER_UNSUPPORTED_VALUE(
      `StringConverter cannot write the bytes of a record for topic ${topic}; use ByteArrayConverter`,
    )
  }
}
