import { defineConfig } from '@tributary/config'
import { defineTransformation } from '../../define.ts'
import { KAFKA } from '../support/keys.ts'
import { parseLiteral } from './literal.ts'

/** Adds a header with a fixed value, whose type follows from the text. */
export const insertHeader = defineTransformation({
  class: `${KAFKA}.InsertHeader`,
  spec: defineConfig({
    header: { type: 'string', validator: { kind: 'nonNull' }, importance: 'high', doc: 'The name of the header.' },
    'value.literal': {
      type: 'string',
      validator: { kind: 'nonNull' },
      importance: 'high',
      doc: 'The literal value that is to be set as the header value on all records.',
    },
  }),
  create: ({ header: name, 'value.literal': literal }) => {
    const { schema, value } = parseLiteral(literal)
    const header = { name, schema, value }
    return { apply: (record) => ({ ...record, headers: [...(record.headers ?? []), header] }) }
  },
})
