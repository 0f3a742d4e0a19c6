import { bothWays, type ConverterPlugin } from '../plugin.ts'
import { JSON_SPEC, JsonConverter } from './json-converter.ts'

export const JSON_CONVERTERS: readonly ConverterPlugin[] = bothWays(
  'org.apache.kafka.connect.json.JsonConverter',
  JSON_SPEC.data,
  () => new JsonConverter(),
)
