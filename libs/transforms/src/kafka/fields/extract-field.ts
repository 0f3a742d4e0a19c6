import { defineConfig } from '@tributary/config'
import { fieldValue, withoutDefault } from '@tributary/connect-api'
import { keyAndValue } from '../../define.ts'
import { transformErrors } from '../../errors.ts'
import { BySchema } from '../support/build.ts'
import { KAFKA, REPLACE_NULL } from '../support/keys.ts'
import { requireMap, requireStruct } from '../support/require.ts'
import { fieldsAlong, parsePath, structAlong, valueAlong } from './path.ts'

const PURPOSE = 'field extraction'

const spec = defineConfig({
  field: { type: 'string', importance: 'medium', doc: 'Field name to extract.' },
  'replace.null.with.default': REPLACE_NULL,
  'field.syntax.version': {
    type: 'string',
    default: 'V1',
    validator: { kind: 'oneOf', values: ['V1', 'V2'], ignoreCase: true },
    importance: 'high',
    doc: 'Defines the version of the syntax to access fields. If set to `V1`, then the field paths are limited to access the elements at the root level of the struct or map. If set to `V2`, the syntax will support accessing nested elements. To access nested elements, dotted notation is used. If dots are already included in the field name, then backtick pairs can be used to wrap field names containing dots.',
  },
})

/** Replaces the key or value by one of its fields. */
export const extractField = keyAndValue(`${KAFKA}.ExtractField`, spec, (side, config) => {
  const { field: path, 'replace.null.with.default': replaceNull } = config
  const steps = config['field.syntax.version'].toUpperCase() === 'V1' ? [path] : parsePath(path)
  const fieldsOf = new BySchema((schema) => {
    const fields = fieldsAlong(schema, steps)
    if (fields === null) throw transformErrors.TRANSFORM_DATA(`Unknown field: ${path}`)
    return fields
  })
  return {
    apply: (record) => {
      const schema = side.schema(record)
      const value = side.value(record)
      if (schema === null) {
        return side.with(record, null, value === null ? null : valueAlong(requireMap(value, PURPOSE), steps))
      }
      const struct = value === null ? null : requireStruct(schema, value, PURPOSE)
      const fields = fieldsOf.get(schema)
      const field = fields[fields.length - 1]!
      const holder = struct === null ? null : structAlong(struct, fields)
      if (holder === null) return side.with(record, field.schema, null)
      const found = replaceNull ? fieldValue(holder, field) : withoutDefault(holder, field.name)
      return side.with(record, field.schema, found)
    },
  }
})
