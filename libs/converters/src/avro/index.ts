import type { ConverterPlugin } from '../plugin.ts'
import { AvroConverter } from './avro-converter.ts'
import { AVRO_SPEC } from './options.ts'

export const AVRO_CONVERTERS: readonly ConverterPlugin[] = [
  {
    type: 'converter',
    class: 'io.confluent.connect.avro.AvroConverter',
    aliases: [],
    spec: AVRO_SPEC.data,
    create: () => new AvroConverter(),
  },
]
