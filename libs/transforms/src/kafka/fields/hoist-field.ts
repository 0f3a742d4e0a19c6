import { defineConfig } from '@tributary/config'
import { validateValue } from '@tributary/connect-api'
import { keyAndValue } from '../../define.ts'
import { BySchema, structOf } from '../support/build.ts'
import { KAFKA } from '../support/keys.ts'
import { setOwn } from '../support/require.ts'

const spec = defineConfig({
  field: {
    type: 'string',
    importance: 'medium',
    doc: 'Field name for the single field that will be created in the resulting Struct or Map.',
  },
})

/** Wraps the whole key or value in one field. */
export const hoistField = keyAndValue(`${KAFKA}.HoistField`, spec, (side, { field }) => {
  const hoisted = new BySchema((schema) => structOf({}, [{ name: field, schema }]))
  return {
    apply: (record) => {
      const schema = side.schema(record)
      const value = side.value(record)
      const updated = schema === null ? null : hoisted.get(schema)
      if (schema !== null) validateValue(schema, value, field)
      const struct: Record<string, unknown> = {}
      setOwn(struct, field, value)
      return side.with(record, updated, struct)
    },
  }
})
