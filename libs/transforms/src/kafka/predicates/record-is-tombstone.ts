import { defineConfig } from '@tributary/config'
import { definePredicate } from '../../define.ts'
import { KAFKA } from '../support/keys.ts'

/** True for records without a value. */
export const recordIsTombstone = definePredicate({
  class: `${KAFKA}.predicates.RecordIsTombstone`,
  spec: defineConfig({}),
  create: () => ({ test: ({ value }) => value === null || value === undefined }),
})
