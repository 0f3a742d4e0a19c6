import { defineConfig } from '@tributary/config'
import { parseValue, type SchemaAndValue, TooDeep } from '@tributary/connect-api'
import { defineTransformation } from '../../define.ts'
import { transformErrors } from '../../errors.ts'
import { KAFKA } from '../support/keys.ts'

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
    const { schema, value } = valueOf(literal)
    const header = { name, schema, value }
    return { apply: (record) => ({ ...record, headers: [...(record.headers ?? []), header] }) }
  },
})

/** Kafka's own parser has no bound and overflows the stack. Throws ConfigError. */
function valueOf(literal: string): SchemaAndValue {
  try {
    return parseValue(literal)
  } catch (error) {
    if (!(error instanceof TooDeep)) throw error
    const text = "'value.literal' nests lists and maps deeper than 1000 levels: give the header a flatter value."
    throw transformErrors.TRANSFORM_CONFIG(text, { field: 'value.literal' })
  }
}
