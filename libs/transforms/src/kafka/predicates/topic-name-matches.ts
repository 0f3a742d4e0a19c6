import { compilePattern, defineConfig } from '@tributary/config'
import { definePredicate } from '../../define.ts'
import { matches } from '../routers/regex-router.ts'
import { KAFKA, NOT_EMPTY_TEXT } from '../support/keys.ts'

/** True for records whose whole topic matches a regular expression. */
export const topicNameMatches = definePredicate({
  class: `${KAFKA}.predicates.TopicNameMatches`,
  spec: defineConfig({
    pattern: {
      type: 'string',
      validator: { kind: 'all', of: [NOT_EMPTY_TEXT, { kind: 'regex', rejectNull: true }] },
      importance: 'medium',
      doc: "A Java regular expression for matching against the name of a record's topic. It is matched in linear time: without look-around and back references.",
    },
  }),
  create: ({ pattern: source }) => {
    const pattern = compilePattern(source, { whole: true })
    return { test: ({ topic }) => matches(pattern, topic) }
  },
})
