import type { ConverterPlugin } from '../plugin.ts'
import { CloudEventsConverter } from './converter.ts'
import { CLOUD_EVENTS_SPEC } from './settings.ts'

export const CLOUD_EVENTS_CONVERTERS: readonly ConverterPlugin[] = [
  {
    type: 'converter',
    class: 'io.tributary.connect.converters.CloudEventsConverter',
    aliases: ['io.debezium.converters.CloudEventsConverter'],
    spec: CLOUD_EVENTS_SPEC.data,
    create: () => new CloudEventsConverter(),
  },
]
