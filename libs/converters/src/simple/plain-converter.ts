import { type Converter, OPTIONAL_BYTES_SCHEMA, type Schema, type SchemaAndValue } from '@tributary/connect-api'
import { StringConverter } from './string-converter.ts'

/**
 * The default of the workers when a connector names no converter: bytes as they are, anything else as StringConverter writes it.
 * A configuration without `value.converter` therefore writes what the examples of its connector show.
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
