import type { Keys } from '@tributary/config'

const group = 'Flow control'
const MIB = 1024 * 1024
const GIB = 1024 * MIB

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
    doc: 'Messages held in memory while Kafka is slow; overflow.policy says what comes then.',
  },
  'queue.max.bytes': {
    type: 'long',
    default: 64 * MIB,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group,
    displayName: 'Queue bytes',
    stripComment: true,
    doc: 'Bytes of messages held in memory while Kafka is slow.',
  },
  'overflow.policy': {
    type: 'string',
    default: 'pause',
    validator: { kind: 'oneOf', values: ['pause', 'drop', 'spill'] },
    recommended: ['pause', 'drop', 'spill'],
    importance: 'medium',
    group,
    displayName: 'When the queue is full',
    doc: 'pause: the connection is not read, so the server waits, nothing is lost. drop: new messages are thrown away and counted, for feeds where only the latest matter. spill: messages go to disk, for servers that cut off who reads slowly; a crash and a restart on this host lose none of them.',
  },
  'spill.max.bytes': {
    type: 'long',
    default: GIB,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group,
    displayName: 'Spilled bytes',
    stripComment: true,
    doc: 'With overflow.policy=spill: bytes on disk at most. When they are reached the connection is paused. Larger than queue.max.bytes makes sense only.',
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
