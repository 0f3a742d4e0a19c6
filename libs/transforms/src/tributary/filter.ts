import { defineConfig } from '@tributary/config'
import { definePredicate, defineTransformation } from '../define.ts'
import { compileExpression } from '../expressions/expression.ts'
import { TRIBUTARY, VERSION } from './name.ts'

/** Keeps the records for which a condition is true, and drops the others. */
export const filter = defineTransformation({
  class: `${TRIBUTARY}.Filter`,
  version: VERSION,
  spec: defineConfig({
    condition: {
      type: 'string',
      importance: 'high',
      doc: 'An expression in CEL that gives true for the records that stay, and false for those that are dropped.',
      example: "has(value.type) && value.type == 'trade'",
    },
  }),
  create: ({ condition }) => {
    const expression = compileExpression(condition, 'condition', 'bool')
    return { apply: (record) => (expression.evaluate(record) ? record : null) }
  },
})

/** Brings records to the topic that an expression gives. */
export const route = defineTransformation({
  class: `${TRIBUTARY}.Route`,
  version: VERSION,
  spec: defineConfig({
    'topic.expression': {
      type: 'string',
      importance: 'high',
      doc: 'An expression in CEL that gives the topic, or null for a record that stays in its topic.',
      example: "topic + '-' + value.region.lowerAscii()",
    },
  }),
  create: ({ 'topic.expression': source }) => {
    const expression = compileExpression(source, 'topic.expression', 'string')
    return {
      apply: (record) => {
        const topic = expression.evaluate(record)
        return topic === null ? record : { ...record, topic }
      },
    }
  },
})

/** A condition for any transform. */
export const expressionPredicate = definePredicate({
  class: `${TRIBUTARY}.predicates.Expression`,
  version: VERSION,
  spec: defineConfig({
    condition: {
      type: 'string',
      importance: 'high',
      doc: 'An expression in CEL that gives true for the records to which the transform is applied.',
      example: "has(value.__deleted) && value.__deleted == 'true'",
    },
  }),
  create: ({ condition }) => {
    const expression = compileExpression(condition, 'condition', 'bool')
    return { test: (record) => expression.evaluate(record) }
  },
})
