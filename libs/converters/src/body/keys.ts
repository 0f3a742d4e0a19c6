import type { Keys, Rule, ValuesOf } from '@tributary/config'

const group = 'Value'

/** Keys for what a source makes of the text that it receives. */
export const BODY_KEYS = {
  'value.format': {
    type: 'string',
    default: 'text',
    validator: { kind: 'oneOf', values: ['text', 'json'] },
    recommended: ['text', 'json'],
    importance: 'medium',
    group,
    displayName: 'Value format',
    doc: 'What the value of a record is. text: the text as it was received. json: the data of that text, for transforms of fields and for converters that write a schema; without one of the keys value.schema… it has no schema. Text that is no JSON, or has a key twice in one object, is a bad record.',
  },
  'value.schema': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    displayName: 'Schema',
    width: 'long',
    doc: 'Schema of the values, for value.format=json: as JsonConverter of Kafka Connect writes schemas, or a schema of Avro. A body that does not fit is a bad record.',
    example:
      '{"type":"struct","name":"quote","fields":[{"field":"symbol","type":"string"},{"field":"price","type":"double","optional":true}]}',
  },
  'value.schema.subject': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    displayName: 'Subject of the schema',
    doc: 'Subject of a schema registry whose latest schema, of Avro or JSON Schema, the values have. The task asks for it on each connect. Needs schema.registry.url.',
  },
  'value.schema.infer': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group,
    displayName: 'Infer the schema',
    doc: 'Whether the schema follows from the bodies: each field is optional, and a type widens when a body needs it (int64 to float64, anything else to text). docs/schemas.md has the rules.',
  },
  'value.schema.infer.max.schemas': {
    type: 'int',
    default: 100,
    validator: { kind: 'range', min: 1, max: 10_000 },
    importance: 'low',
    group,
    displayName: 'Most inferred schemas',
    stripComment: true,
    doc: 'Most schemas that a run of the task infers for a topic. A body that would need a further one is a bad record.',
  },
  'value.schema.unknown.fields': {
    type: 'string',
    default: 'fail',
    validator: { kind: 'oneOf', values: ['fail', 'drop'] },
    recommended: ['fail', 'drop'],
    importance: 'low',
    group,
    displayName: 'Unknown fields',
    doc: 'What becomes of a field that the given schema does not have. fail: the body is a bad record. drop: the field is left out.',
  },
} as const satisfies Keys

export const BODY_RULES: readonly Rule[] = [
  { rule: 'atMostOneOf', keys: ['value.schema', 'value.schema.subject'] },
  { rule: 'visibleWhen', key: 'value.schema', when: 'value.format', equals: ['json'] },
  { rule: 'visibleWhen', key: 'value.schema.subject', when: 'value.format', equals: ['json'] },
  { rule: 'visibleWhen', key: 'value.schema.infer', when: 'value.format', equals: ['json'] },
  { rule: 'visibleWhen', key: 'value.schema.infer.max.schemas', when: 'value.schema.infer', equals: ['true'] },
  { rule: 'visibleWhen', key: 'value.schema.unknown.fields', when: 'value.format', equals: ['json'] },
]

export type BodySettings = ValuesOf<typeof BODY_KEYS>
