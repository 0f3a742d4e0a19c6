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
