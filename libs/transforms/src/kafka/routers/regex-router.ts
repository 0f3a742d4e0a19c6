import { compilePattern, defineConfig, type Pattern, PatternError } from '@tributary/config'
import { defineTransformation } from '../../define.ts'
import { transformErrors } from '../../errors.ts'
import { KAFKA } from '../support/keys.ts'
import { parseReplacement, ReplacementError, replaceFound } from './replacement.ts'

/** Topics whose route is remembered. */
const MAX_KNOWN = 1000
/** What an earlier transform made of a value may be too long for a topic, and is not remembered. */
export const MAX_KNOWN_LENGTH = 249

/** Renames the topic by a regular expression. */
export const regexRouter = defineTransformation({
  class: `${KAFKA}.RegexRouter`,
  spec: defineConfig({
    regex: {
      type: 'string',
      validator: { kind: 'regex', rejectNull: true },
      importance: 'high',
      doc: 'Regular expression to use for matching. It is matched in linear time: without look-around and back references.',
    },
    replacement: { type: 'string', importance: 'high', doc: 'Replacement string.' },
  }),
  create: ({ regex, replacement }) => {
    const whole = compilePattern(regex, { whole: true })
    const first = compilePattern(regex)
    const parts = partsOf(replacement, first)
    const known = new Map<string, string>()
    return {
      apply: (record) => {
        const from = record.topic
        let topic = known.get(from)
        if (topic === undefined) {
          // The whole topic must match, and then the first place that matches is replaced, which may be shorter.
          const found = matches(whole, from) ? first.find(from) : null
          topic = found === null ? from : replaceFound(from, found, parts)
          if (known.size >= MAX_KNOWN) known.clear()
          if (from.length <= MAX_KNOWN_LENGTH) known.set(from, topic)
        }
        return topic === from ? record : { ...record, topic }
      },
    }
  },
})

function partsOf(replacement: string, pattern: Pattern): ReturnType<typeof parseReplacement> {
  try {
    return parseReplacement(replacement, pattern)
  } catch (cause) {
    if (!(cause instanceof ReplacementError)) throw cause
    throw transformErrors.TRANSFORM_CONFIG(
      `Invalid value ${replacement} for configuration replacement: ${cause.message}`,
      { cause, field: 'replacement' },
    )
  }
}

/** Whether a topic matches. Throws DataError for one that is too long for the expression. */
export function matches(pattern: Pattern, topic: string): boolean {
  try {
    return pattern.test(topic)
  } catch (cause) {
    if (!(cause instanceof PatternError)) throw cause
    throw transformErrors.TRANSFORM_DATA(cause.message, { cause })
  }
}
