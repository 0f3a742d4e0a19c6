import type { ConverterPlugin } from '../plugin.ts'
import { SimpleHeaderConverter } from './simple-header-converter.ts'

export const HEADER_CONVERTERS: readonly ConverterPlugin[] = [
  {
    type: 'header_converter',
    class: 'org.apache.kafka.connect.storage.SimpleHeaderConverter',
    aliases: [],
    spec: { keys: {} },
    create: () => new SimpleHeaderConverter(),
  },
]
