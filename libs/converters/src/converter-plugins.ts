import type { ConfigSpecData, Keys } from '@tributary/config'
import { CONVERTER_CLASSES, HEADER_CONVERTER_CLASSES } from './registry.ts'

/** A converter as `/connector-plugins` shows it. */
export interface ConverterPlugin {
  readonly class: string
  readonly type: 'converter' | 'header_converter'
  readonly spec: ConfigSpecData
}

/** Connect's key of every converter; whoever makes a converter sets it. */
const CONVERTER_TYPE: Keys = {
  'converter.type': {
    type: 'string',
    validator: { kind: 'oneOf', values: ['key', 'value', 'header'] },
    importance: 'low',
    doc: 'What it converts; the worker sets it.',
  },
}

/** Settings of their own, written behind the prefix of the converter: `value.converter.schemas.enable`. */
const KEYS: Readonly<Record<string, Keys>> = {
  'org.apache.kafka.connect.json.JsonConverter': {
    'schemas.enable': {
      type: 'boolean',
      default: true,
      importance: 'high',
      group: 'Schemas',
      order: 0,
      width: 'medium',
      displayName: 'Enable Schemas',
      doc: 'Write {"schema":…,"payload":…}, and take nothing else. false: the bare value.',
    },
  },
}

export const CONVERTER_PLUGINS: readonly ConverterPlugin[] = [
  ...CONVERTER_CLASSES.map((name) => plugin(name, 'converter')),
  ...HEADER_CONVERTER_CLASSES.map((name) => plugin(name, 'header_converter')),
]

function plugin(name: string, type: ConverterPlugin['type']): ConverterPlugin {
  // A header converter needs not be told what it converts, and Connect's has no setting at all.
  return { class: name, type, spec: { keys: type === 'header_converter' ? {} : { ...CONVERTER_TYPE, ...KEYS[name] } } }
}
