import type { ConfigSpecData, Keys } from '@tributary/config'
import type { Converter, HeaderConverter, Schema, SchemaAndValue } from '@tributary/connect-api'

interface Plugin<T extends string, C> {
  readonly type: T
  /** As configurations write it: `org.apache.kafka.connect.json.JsonConverter`. Its simple name works too, and that without `Converter`. */
  readonly class: string
  /** Other classes by which configurations may name it. */
  readonly aliases: readonly string[]
  /** The settings, without the prefix `value.converter.`. */
  readonly spec: ConfigSpecData
  /** An object that `configure` makes ready. */
  create(): C
}

/** A converter as `/connector-plugins` shows it. A class that converts both records and headers is two plugins. */
export type ConverterPlugin = Plugin<'converter', Converter> | Plugin<'header_converter', HeaderConverter>

/** The setting that every converter of Connect has. `createConverter` sets it. */
export const CONVERTER_TYPE = {
  'converter.type': {
    type: 'string',
    validator: { kind: 'oneOf', values: ['key', 'value', 'header'] },
    importance: 'low',
    doc: 'What it converts; the worker sets it.',
  },
} as const satisfies Keys

/** The two plugins of a class that converts records and headers alike. */
export function bothWays(className: string, spec: ConfigSpecData, create: () => Converter): ConverterPlugin[] {
  return [
    { type: 'converter', class: className, aliases: [], spec, create },
    {
      type: 'header_converter',
      class: className,
      aliases: [],
      spec,
      create: () => new ConverterOfHeaders(create()),
    },
  ]
}

/** Converts the values of headers as a converter of records does. */
class ConverterOfHeaders implements HeaderConverter {
  readonly #converter: Converter

  constructor(converter: Converter) {
    this.#converter = converter
  }

  configure(config: Readonly<Record<string, string>>): void {
    this.#converter.configure(config, false)
  }

  fromConnectHeader(topic: string, _name: string, schema: Schema | null, value: unknown): Uint8Array | null {
    return this.#converter.fromConnectData(topic, schema, value)
  }

  toConnectHeader(topic: string, _name: string, value: Uint8Array | null): SchemaAndValue {
    return this.#converter.toConnectData(topic, value)
  }
}
