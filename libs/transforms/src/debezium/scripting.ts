import { compilePattern, defineConfig, type KeySpec } from '@tributary/config'
import type { ConnectRecord, Transformation } from '@tributary/connect-api'
import { defineTransformation } from '../define.ts'
import { compileExpression } from '../expressions/expression.ts'
import { matches } from '../kafka/routers/regex-router.ts'
import { isTombstone } from './envelope.ts'
import { DEBEZIUM_VERSION } from './version.ts'

const KEYS = {
  'topic.regex': {
    type: 'string',
    default: null,
    validator: { kind: 'regex' },
    importance: 'low',
    doc: 'A regular expression that the whole topic must match. Records of other topics stay as they are.',
  },
  language: {
    type: 'string',
    default: 'cel',
    validator: {
      kind: 'pattern',
      regex: '^cel$',
      message:
        "Groovy, JavaScript and WebAssembly do not run here; set language to cel and write the expression in CEL: value.op == 'u' && value.before.id == 2 stays as it is, value.get('op') === 'u' becomes value.op == 'u', value.after?.id == 1 becomes has(value.after.id) && value.after.id == 1, header.trace.value becomes headers.trace, topic.matches('a.*') becomes topic.matches('^a.*$'), and null without a topic stays null",
      accepts: '`cel`',
    },
    importance: 'high',
    doc: 'The language of the expression. Debezium runs Groovy and JavaScript; here it is CEL, which most conditions are already.',
  },
  'null.handling.mode': {
    type: 'string',
    default: 'keep',
    validator: { kind: 'oneOf', values: ['keep', 'drop', 'evaluate'], ignoreCase: true },
    importance: 'low',
    doc: 'What becomes of records without value: `keep` and `drop` do not evaluate the expression, `evaluate` does.',
  },
} as const satisfies Record<string, KeySpec>

interface Settings {
  readonly 'topic.regex': string | null
  readonly 'null.handling.mode': string
}

/** Drops the records for which a condition is false. */
export const debeziumFilter = defineTransformation({
  class: 'io.debezium.transforms.Filter',
  version: DEBEZIUM_VERSION,
  spec: defineConfig({
    ...KEYS,
    condition: {
      type: 'string',
      importance: 'high',
      doc: 'An expression that gives true for the records that stay.',
      example: "value.op == 'u' && value.before.id == 2",
    },
  }),
  create: (config) => {
    const condition = compileExpression(config.condition, 'condition', 'bool')
    return selected(config, (record) => (condition.evaluate(record) ? record : null))
  },
})

/** Brings records to the topic that an expression gives. */
export const contentBasedRouter = defineTransformation({
  class: 'io.debezium.transforms.ContentBasedRouter',
  version: DEBEZIUM_VERSION,
  spec: defineConfig({
    ...KEYS,
    'topic.expression': {
      type: 'string',
      importance: 'high',
      doc: 'An expression that gives the topic, or null for a record that stays in its topic.',
      example: "value.op == 'u' ? 'updates' : null",
    },
  }),
  create: (config) => {
    const expression = compileExpression(config['topic.expression'], 'topic.expression', 'string')
    return selected(config, (record) => {
      const topic = expression.evaluate(record)
      return topic === null ? record : { ...record, topic }
    })
  },
})

/** Applies to the records that `topic.regex` and `null.handling.mode` select. */
function selected(settings: Settings, change: <R extends ConnectRecord>(record: R) => R | null): Transformation {
  const regex = settings['topic.regex']
  const topics = regex === null || regex === '' ? null : compilePattern(regex, { whole: true })
  const ofNull = settings['null.handling.mode'].toLowerCase()
  return {
    apply: (record) => {
      if (topics !== null && !matches(topics, record.topic)) return record
      if (ofNull !== 'evaluate' && isTombstone(record)) return ofNull === 'keep' ? record : null
      return change(record)
    },
  }
}
