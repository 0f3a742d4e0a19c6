import { defineConfig } from '@tributary/config'
import { defineTransformation } from '../../define.ts'
import { KAFKA } from '../support/keys.ts'

/** Drops each record; a predicate says which ones. */
export const filter = defineTransformation({
  class: `${KAFKA}.Filter`,
  spec: defineConfig({}),
  create: () => ({ apply: () => null }),
})
