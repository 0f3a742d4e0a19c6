import { defineConfig } from '@tributary/config'
import { defineTransformation } from '../define.ts'
import { transformErrors } from '../errors.ts'
import { CONFLUENT, CONFLUENT_VERSION } from './confluent.ts'

/** Drops records without value, whether or not they have a schema. */
export const tombstoneHandler = defineTransformation({
  class: `${CONFLUENT}.TombstoneHandler`,
  version: CONFLUENT_VERSION,
  spec: defineConfig({
    behavior: {
      type: 'string',
      default: 'warn',
      validator: { kind: 'oneOf', values: ['ignore', 'warn', 'fail'], ignoreCase: true },
      importance: 'medium',
      doc: '`ignore` and `warn` drop the record, which counts as filtered and is not logged one by one. `fail` makes it an error of the record.',
    },
  }),
  create: ({ behavior }) => ({
    apply: (record) => {
      if (record.value !== null && record.value !== undefined) return record
      if (behavior.toLowerCase() !== 'fail') return null
      throw transformErrors.TRANSFORM_DATA("Tombstone record encountered and failed due to configured 'fail' behavior.")
    },
  }),
})
