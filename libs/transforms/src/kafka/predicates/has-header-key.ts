import { defineConfig } from '@tributary/config'
import { definePredicate } from '../../define.ts'
import { KAFKA, NOT_EMPTY_TEXT } from '../support/keys.ts'

/** True for records with a header of a name. */
export const hasHeaderKey = definePredicate({
  class: `${KAFKA}.predicates.HasHeaderKey`,
  spec: defineConfig({
    name: { type: 'string', validator: NOT_EMPTY_TEXT, importance: 'medium', doc: 'The header name.' },
  }),
  create: ({ name: wanted }) => ({
    test: ({ headers }) => headers !== undefined && headers.some(({ name }) => name === wanted),
  }),
})
