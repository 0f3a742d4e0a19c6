import type { Keys, ValuesOf } from '@tributary/config'
import type { IntKey } from './key-types.ts'

const group = 'Flow control'
const MIB = 1024 * 1024
const GIB = 1024 * MIB

const bytesKey = {
  'queue.max.bytes': {
    type: 'long',
    default: 64 * MIB,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group,
    displayName: 'Queue bytes',
    stripComment: true,
    doc: 'Most bytes of messages that the queue of a task holds while Kafka is slow. At this limit overflow.policy decides what happens.',
  },
} as const satisfies Keys

const pollKey = {
  'max.poll.records': {
    type: 'int',
    default: 2000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group,
    displayName: 'Batch size',
    stripComment: true,
    doc: 'Most messages that one poll takes from the queue. The messages of a poll are produced together.',
  },
} as const satisfies Keys

const overflowKeys = {
  'overflow.policy': {
    type: 'string',
    default: 'pause',
    validator: { kind: 'oneOf', values: ['pause', 'drop'] },
    recommended: ['pause', 'drop'],
    importance: 'low',
    group,
    displayName: 'When the queue is full',
    doc: 'What to do with messages while the queue is full. pause: the task does not read the connection, so the server waits and nothing is lost. drop: the task discards new messages and counts them; for feeds of which only the latest messages matter.',
  },
} as const satisfies Keys

/** For sources that cannot resume, and whose server may disconnect a slow reader. */
const spillKeys = {
  'overflow.policy': {
    type: 'string',
    default: 'pause',
    validator: { kind: 'oneOf', values: ['pause', 'drop', 'spill'] },
    recommended: ['pause', 'drop', 'spill'],
    importance: 'medium',
    group,
    displayName: 'When the queue is full',
    doc: 'What to do with messages while the queue is full. pause: the task does not read the connection, so the server waits and nothing is lost. drop: the task discards new messages and counts them; for feeds of which only the latest messages matter. spill: the task writes messages to disk; for servers that cut off slow readers. Messages on disk survive a crash and a restart on the same host.',
  },
  'spill.max.bytes': {
    type: 'long',
    default: GIB,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group,
    displayName: 'Spilled bytes',
    stripComment: true,
    doc: 'Most bytes of messages on disk, with overflow.policy=spill. At this limit the task pauses the connection. Only a value above queue.max.bytes makes sense.',
  },
} as const satisfies Keys

type QueueSizeKey<P extends string> = Readonly<Record<`${P}.message.queue.size`, IntKey>>

function queueKeys<P extends string>(prefix: P): QueueSizeKey<P> {
  return {
    [`${prefix}.message.queue.size`]: {
      type: 'int',
      default: 10_000,
      validator: { kind: 'range', min: 1 },
      importance: 'low',
      group,
      displayName: 'Queue size',
      stripComment: true,
      doc: 'Most messages that the queue of a task holds while Kafka is slow. At this limit overflow.policy decides what happens.',
    } satisfies IntKey,
  } as QueueSizeKey<P>
}

/**
 * The keys of flow control: `<prefix>.message.queue.size`, `queue.max.bytes`, `max.poll.records` and `overflow.policy`. `options`
 * turns their values into options of `pushTask` or `Intake`.
 */
export function flowSettings<P extends string>(prefix: P) {
  const keys = { ...queueKeys(prefix), ...bytesKey, ...pollKey, ...overflowKeys }
  const options = (config: ValuesOf<typeof keys>) => ({
    ...boundsOf(prefix, config),
    overflow: config['overflow.policy'] === 'drop' ? ('drop' as const) : ('pause' as const),
  })
  return { keys, options }
}

/** As `flowSettings`, with `overflow.policy=spill` and `spill.max.bytes`. The source makes its overflow policy from these. */
export function spillingFlowSettings<P extends string>(prefix: P) {
  const keys = { ...queueKeys(prefix), ...bytesKey, ...spillKeys, ...pollKey }
  return { keys, options: (config: ValuesOf<typeof keys>) => boundsOf(prefix, config) }
}

function boundsOf(prefix: string, config: ValuesOf<typeof bytesKey & typeof pollKey>) {
  return {
    maxRecords: (config as Readonly<Record<string, unknown>>)[`${prefix}.message.queue.size`] as number,
    maxBytes: config['queue.max.bytes'],
    maxPollRecords: config['max.poll.records'],
  }
}
