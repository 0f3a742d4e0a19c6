import type { Keys } from '@tributary/config'

/** The key `kafka.topic`: the topic of the records. */
export const topicKey = {
  'kafka.topic': {
    type: 'string',
    validator: { kind: 'topicName' },
    importance: 'high',
    group: 'Record',
    displayName: 'Topic',
    doc: 'Topic to which the connector writes its records.',
    example: 'quotes',
  },
} as const satisfies Keys

/** The key `timestamp.unit`, beside a key `timestamp.field`. */
export const timestampUnitKey = {
  'timestamp.unit': {
    type: 'string',
    default: 'ms',
    validator: { kind: 'oneOf', values: ['s', 'ms', 'us', 'ns'] },
    importance: 'low',
    group: 'Record',
    displayName: 'Timestamp unit',
    recommended: ['s', 'ms', 'us', 'ns'],
    doc: 'Unit of a numeric timestamp.field.',
  },
} as const satisfies Keys

/** The texts that `timestamp.field` may hold, for its doc. */
export const TIMESTAMP_TEXTS =
  "RFC 3339 or ISO 8601 text, Go's text of a time, or a date as in HTTP; without an offset it is UTC"
