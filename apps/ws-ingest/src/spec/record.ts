import type { Keys } from '@tributary/config'

const group = 'Record'

/** What becomes of a message. */
export const recordKeys = {
  'kafka.topic': {
    type: 'string',
    validator: { kind: 'topicName' },
    importance: 'high',
    group,
    displayName: 'Topic',
    doc: 'Topic that gets the records.',
    example: 'quotes',
  },
} as const satisfies Keys
