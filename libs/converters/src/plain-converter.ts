import { type Converter, type Schema, type SchemaAndValue, OPTIONAL_BYTES_SCHEMA } from '@tributary/connect-api'
import { StringConverter } from './string-converter.ts'

/**
 * The workers' default where a connector names none: text as StringConverter writes it, bytes as ByteArrayConverter does,
 * so that a config without `value.converter` writes what the examples of its connector show.
 */
export class PlainConverter implements Converter {
  readonly keepsText = true
  readonly #text = new StringConverter()
  configure(): void {}

  fromConnectData(topic: string, schema: Schema | null, value: unknown): Uint8Array | null {
    return value instanceof Uint8Array ? value : this.#text.fromConnectData(topic, schema, value)
  }

  toConnectData(_topic: string, value: Uint8Array | null): SchemaAndValue {
    return { schema: OPTIONAL_BYTES_SCHEMA, value }
  }
}
