import type { Keys } from '@tributary/config'

const group = 'Kafka'

/** Keys for where records go. The login keys are the JVM connector's, with its defaults; a default never reaches a producer. */
export const kafkaKeys = {
  'kafka.topic': {
    type: 'string',
    validator: { kind: 'topicName' },
    importance: 'high',
    group,
    displayName: 'Topic',
    doc: 'Topic to which the connector writes its records, of all queues.',
    example: 'orders',
  },
  'kafka.topic.partition': {
    type: 'int',
    default: null,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group,
    displayName: 'Partition',
    stripComment: true,
    doc: 'Partition of all records. Unset: the key decides, as with the default partitioner of Kafka.',
  },
  'sasl.mechanism': {
    type: 'string',
    default: 'SCRAM-SHA-512',
    validator: {
      kind: 'pattern',
      regex: '^SCRAM-SHA-(512|256)$',
      message: 'SASL mechanism must be SCRAM-SHA-512 or SCRAM-SHA-256',
      accepts: 'SCRAM-SHA-512 or SCRAM-SHA-256',
    },
    importance: 'high',
    group,
    displayName: 'SASL mechanism',
    doc: "Mechanism of the producer's login, if sasl.jaas.config is set in this configuration. The default has no effect by itself: the worker's own login serves.",
  },
  'sasl.jaas.config': {
    type: 'password',
    default: null,
    importance: 'high',
    group,
    displayName: 'SASL login',
    doc: "User name and password of the producer's login in the form of JAAS. Unset or blank: the worker's own login serves.",
  },
  'security.protocol': {
    type: 'string',
    default: 'SASL_SSL',
    validator: {
      kind: 'oneOf',
      values: ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'],
      ignoreCase: true,
    },
    importance: 'high',
    group,
    displayName: 'Security protocol',
    doc: "Protocol of the producer's connections, if it is set in this configuration. The default has no effect by itself: the worker's own protocol serves.",
  },
} as const satisfies Keys
