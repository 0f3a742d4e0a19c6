import { bothWays, CONVERTER_TYPE, type ConverterPlugin } from '../plugin.ts'
import { BooleanConverter } from './boolean-converter.ts'
import { ByteArrayConverter } from './byte-array-converter.ts'
import { NUMBER_CONVERTERS } from './number-converters.ts'
import { PlainConverter } from './plain-converter.ts'
import { STRING_SPEC, StringConverter } from './string-converter.ts'

const NO_KEYS = { keys: CONVERTER_TYPE }

export const SIMPLE_CONVERTERS: readonly ConverterPlugin[] = [
  ...bothWays('org.apache.kafka.connect.storage.StringConverter', STRING_SPEC.data, () => new StringConverter()),
  ...bothWays('org.apache.kafka.connect.converters.ByteArrayConverter', NO_KEYS, () => new ByteArrayConverter()),
  ...bothWays('org.apache.kafka.connect.converters.BooleanConverter', NO_KEYS, () => new BooleanConverter()),
  ...Object.entries(NUMBER_CONVERTERS).flatMap(([name, create]) => bothWays(name, NO_KEYS, create)),
  {
    type: 'converter',
    class: 'io.tributary.connect.converters.PlainConverter',
    aliases: [],
    spec: NO_KEYS,
    create: () => new PlainConverter(),
  },
]
