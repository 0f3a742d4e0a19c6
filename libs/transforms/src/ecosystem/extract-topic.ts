import { defineConfig, type KeySpec } from '@tributary/config'
import { type ConnectRecord, isPlainObject, type TransformationPlugin } from '@tributary/connect-api'
import { defineTransformation, keyAndValue } from '../define.ts'
import { transformErrors } from '../errors.ts'
import { CONFLUENT, CONFLUENT_VERSION } from './confluent.ts'
import { parseJsonPath, type Step } from './json-path.ts'

const SKIP = {
  type: 'boolean',
  default: false,
  importance: 'low',
  doc: 'How to handle a missing or null field, key, value or header: `true` passes the record on under its topic, `false` is an error of the record.',
} as const satisfies KeySpec

const spec = defineConfig({
  field: {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'The field whose text becomes the topic. Blank: the whole key or value, which must be a text.',
  },
  'field.format': {
    type: 'string',
    default: 'PLAIN',
    validator: { kind: 'oneOf', values: ['PLAIN', 'JSON_PATH'], ignoreCase: true },
    importance: 'medium',
    doc: 'What `field` is: `PLAIN`, the name of a field, or `JSON_PATH`, a path to a nested one such as `$["f1"]["f3"]` or `$.f1.f3`.',
  },
  'skip.missing.or.null': SKIP,
})

/** Makes the topic of the key or the value, or of a field in it. */
const ofKeyAndValue = keyAndValue(
  `${CONFLUENT}.ExtractTopic`,
  spec,
  (side, config) => {
    const { field } = config
    const steps = stepsOf(field, config['field.format'].toUpperCase() === 'JSON_PATH')
    const part = side.isKey ? 'key' : 'value'
    const what = field === '' ? part : `field ${field} of the ${part}`
    return {
      apply: (record) => named(record, valueAt(side.value(record), steps), what, config['skip.missing.or.null']),
    }
  },
  CONFLUENT_VERSION,
)

/** Makes the topic of a header. */
const ofHeader = defineTransformation({
  class: `${CONFLUENT}.ExtractTopic$Header`,
  version: CONFLUENT_VERSION,
  spec: defineConfig({
    field: {
      type: 'string',
      validator: { kind: 'nonEmpty' },
      importance: 'medium',
      doc: 'The header whose text becomes the topic.',
    },
    'skip.missing.or.null': SKIP,
  }),
  create: ({ field, 'skip.missing.or.null': skip }) => ({
    apply: (record) =>
      named(record, record.headers?.findLast(({ name }) => name === field)?.value, `header ${field}`, skip),
  }),
})

export const extractTopic: readonly TransformationPlugin[] = [...ofKeyAndValue, ofHeader]

function stepsOf(field: string, isPath: boolean): readonly Step[] {
  if (field === '') return []
  const steps = isPath ? parseJsonPath(field) : [field]
  if (steps === null) {
    throw transformErrors.TRANSFORM_CONFIG(
      `Invalid value ${field} for configuration field: it is no JSON path to one place, such as $["f1"]["f3"] or $.f1.f3`,
      { field: 'field' },
    )
  }
  return steps
}

function valueAt(from: unknown, steps: readonly Step[]): unknown {
  let value = from
  for (const step of steps) {
    if (Array.isArray(value)) value = typeof step === 'number' ? (value[step] as unknown) : undefined
    else if (value instanceof Map) value = value.get(step) as unknown
    else if (isPlainObject(value) && Object.hasOwn(value, step)) value = value[step]
    else return undefined
  }
  return value
}

function named<R extends ConnectRecord>(record: R, topic: unknown, what: string, skip: boolean): R {
  if (topic === null || topic === undefined || topic === '') {
    if (skip) return record
    throw transformErrors.TRANSFORM_DATA(`the ${what}, which is to be the topic, is missing, null or empty`)
  }
  if (typeof topic !== 'string') {
    throw transformErrors.TRANSFORM_DATA(`the ${what}, which is to be the topic, is not a string but ${typeof topic}`)
  }
  return { ...record, topic }
}
