import { defineConfig } from '@tributary/config'
import { defineTransformation } from '../../define.ts'
import { KAFKA, NOT_EMPTY } from '../support/keys.ts'

/** Removes headers by their names. */
export const dropHeaders = defineTransformation({
  class: `${KAFKA}.DropHeaders`,
  spec: defineConfig({
    headers: { type: 'list', validator: NOT_EMPTY, importance: 'high', doc: 'The name of the headers to be removed.' },
  }),
  create: ({ headers: names }) => {
    const dropped = new Set(names)
    return {
      apply: (record) => {
        if (record.headers === undefined || record.headers.length === 0) return record
        return { ...record, headers: record.headers.filter(({ name }) => !dropped.has(name)) }
      },
    }
  },
})
