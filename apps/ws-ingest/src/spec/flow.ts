import type { Keys } from '@tributary/config'

const group = 'Flow control'
const MIB = 1024 * 1024

/** What is held while Kafka is slow. */
export const flowKeys = {
  'websocket.message.queue.size': {
    type: 'int',
    default: 10_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group,
    displayName: 'Queue size',
    stripComment: true,
    doc: 'Messages held while Kafka is slow. When they are reached the connection is paused: the server waits.',
  },
  'queue.max.bytes': {
    type: 'long',
    default: 64 * MIB,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group,
    displayName: 'Queue bytes',
    stripComment: true,
    doc: 'Bytes of messages held while Kafka is slow.',
  },
  'max.poll.records': {
    type: 'int',
    default: 2000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group,
    displayName: 'Batch size',
    stripComment: true,
    doc: 'Most messages that one poll takes from the queue; they are produced together.',
  },
} as const satisfies Keys
