import { defineConfig } from '@tributary/config'
import { type Field, fieldOf } from '@tributary/connect-api'
import { defineTransformation } from '../../define.ts'
import { transformErrors } from '../../errors.ts'
import { BySchema, structOf } from '../support/build.ts'
import { KAFKA, NOT_EMPTY, REPLACE_NULL } from '../support/keys.ts'
import { entryOf, requireMap, requireStruct, setOwn } from '../support/require.ts'
import { read, slotOf, write } from '../support/struct.ts'

const PURPOSE = 'copying fields from value to key'

/** Makes the key of fields of the value. */
export const valueToKey = defineTransformation({
  class: `${KAFKA}.ValueToKey`,
  spec: defineConfig({
    fields: {
      type: 'list',
      validator: NOT_EMPTY,
      importance: 'high',
      doc: 'Field names on the record value to extract as the record key.',
    },
    'replace.null.with.default': REPLACE_NULL,
  }),
  create: ({ fields: names, 'replace.null.with.default': replaceNull }) => {
    const plans = new BySchema((schema) => {
      const fields: Field[] = []
      for (const name of names) {
        const field = fieldOf(schema, name)
        if (field === undefined) {
          // Of several mistakes the one that stands first in the setting is reported.
          structOf({}, fields)
          throw transformErrors.TRANSFORM_DATA(`Field does not exist: ${name}`)
        }
        fields.push(field)
      }
      return { schema: structOf({}, fields), slots: fields.map((field) => slotOf(field, replaceNull)) }
    })
    return {
      apply: (record) => {
        const schema = record.valueSchema ?? null
        const key: Record<string, unknown> = {}
        if (schema === null) {
          const map = requireMap(record.value, PURPOSE)
          for (const name of names) setOwn(key, name, entryOf(map, name))
          return { ...record, keySchema: null, key }
        }
        const struct = requireStruct(schema, record.value, PURPOSE)
        const plan = plans.get(schema)
        for (const slot of plan.slots) write(key, slot.name, slot.schema, read(struct, slot))
        return { ...record, keySchema: plan.schema, key }
      },
    }
  },
})
