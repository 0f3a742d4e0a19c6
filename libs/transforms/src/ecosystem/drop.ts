import { defineConfig } from '@tributary/config'
import type { Schema } from '@tributary/connect-api'
import { keyAndValue } from '../define.ts'
import { transformErrors } from '../errors.ts'
import { BySchema } from '../kafka/support/build.ts'
import { CONFLUENT, CONFLUENT_VERSION } from './confluent.ts'

const spec = defineConfig({
  'schema.behavior': {
    type: 'string',
    default: 'nullify',
    validator: { kind: 'oneOf', values: ['nullify', 'retain', 'validate', 'force_optional'], ignoreCase: true },
    importance: 'medium',
    doc: 'What becomes of the schema: `nullify`: none is left. `retain`: it stays as it is. `validate`: it stays, and a schema that is not optional is an error of the record. `force_optional`: it is made optional.',
  },
})

/** Sets the key or the value to null. */
export const drop = keyAndValue(
  `${CONFLUENT}.Drop`,
  spec,
  (side, config) => {
    const behavior = config['schema.behavior'].toLowerCase()
    const optional = new BySchema<Schema>((schema) => ({ ...schema, optional: true }))
    const schemaAfter = (schema: Schema | null): Schema | null => {
      if (schema === null || behavior === 'nullify') return null
      if (behavior === 'retain' || schema.optional === true) return schema
      if (behavior === 'force_optional') return optional.get(schema)
      throw transformErrors.TRANSFORM_DATA(
        `the schema of the ${side.isKey ? 'key' : 'value'} is not optional, so that null does not fit it`,
      )
    }
    return { apply: (record) => side.with(record, schemaAfter(side.schema(record)), null) }
  },
  CONFLUENT_VERSION,
)
