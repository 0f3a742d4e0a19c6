import { defineConfig } from '@tributary/config'
import { isPlainObject, type Schema } from '@tributary/connect-api'
import { keyAndValue } from '../../define.ts'
import { transformErrors } from '../../errors.ts'
import { BySchema, fieldsOf } from '../support/build.ts'
import { KAFKA, REPLACE_NULL } from '../support/keys.ts'
import { copyStruct, slotOf } from '../support/struct.ts'

const spec = defineConfig({
  'schema.name': { type: 'string', default: null, importance: 'high', doc: 'Schema name to set.' },
  'schema.version': { type: 'int', default: null, importance: 'high', doc: 'Schema version to set.' },
  'replace.null.with.default': REPLACE_NULL,
})

/** Sets name and version of a struct's schema. Kafka's class fails for any other, as does this. */
export const setSchemaMetadata = keyAndValue(`${KAFKA}.SetSchemaMetadata`, spec, (side, config) => {
  const { 'schema.name': name, 'schema.version': version, 'replace.null.with.default': replaceNull } = config
  if (name === null && version === null) {
    throw transformErrors.TRANSFORM_CONFIG('Neither schema name nor version configured', { field: 'schema.name' })
  }
  const plans = new BySchema((schema) => ({
    slots: fieldsOf(schema).map((field) => slotOf(field, replaceNull)),
    schema: { ...schema, ...(name !== null && { name }), ...(version !== null && { version }) } satisfies Schema,
  }))
  return {
    apply: (record) => {
      const schema = side.schema(record)
      const value = side.value(record)
      if (schema === null) {
        if (value === null) return record
        throw transformErrors.TRANSFORM_DATA('Schema required for [updating schema metadata]')
      }
      const plan = plans.get(schema)
      return side.with(record, plan.schema, isPlainObject(value) ? copyStruct(value, plan.slots) : value)
    },
  }
})
