import type { ConverterPlugin } from '../plugin.ts'
import { JSON_SCHEMA_SPEC, JsonSchemaConverter } from './converter.ts'

export const JSON_SCHEMA_CONVERTERS: readonly ConverterPlugin[] = [
  {
    type: 'converter',
    class: 'io.confluent.connect.json.JsonSchemaConverter',
    aliases: [],
    spec: JSON_SCHEMA_SPEC.data,
    create: () => new JsonSchemaConverter(),
  },
]
