import type { Keys } from '@tributary/config'

const FIFO = 'FIFO Queue'
const ERRORS = 'Error Handling'
const FLOW = 'Flow control'
const MIB = 1024 * 1024

/** A topic for dead letters, which a user may leave blank. */
export const topicOrBlank = {
  kind: 'topicName',
  orBlank: true,
  deadLetters: true,
} as const

/** Keys for bad messages, the order of FIFO queues, polling and the task's queue. Without a comment they are the JVM connector's. */
export const readingKeys = {
  'dlq.topic': {
    type: 'string',
    default: null,
    validator: topicOrBlank,
    importance: 'medium',
    group: ERRORS,
    displayName: 'Dead-letter topic',
    doc: 'Topic for messages that cannot be converted, with the original body and the error in headers. A message is deleted from its queue when this topic has it. Unset or blank: such a message goes back to its queue, hidden for twice as long each time, and the RedrivePolicy of the queue decides.',
  },
  'max.retries': {
    type: 'int',
    default: 3,
    validator: { kind: 'range', min: 0, rejectNull: true },
    importance: 'medium',
    group: ERRORS,
    displayName: 'Tries',
    stripComment: true,
    doc: 'Failed conversions of a message after which no further try is made. 0 and 1: none after the first.',
  },
  'retry.backoff.ms': {
    type: 'long',
    default: 1000,
    validator: { kind: 'range', min: 0, rejectNull: true },
    importance: 'medium',
    group: ERRORS,
    displayName: 'Backoff',
    stripComment: true,
    doc: 'Wait before the second try of a conversion, in ms. Each further wait is twice as long, and up to 30 % longer or shorter, 10 minutes at most. The message is hidden in SQS for that long.',
  },
  'sqs.fifo.queue': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: FIFO,
    displayName: 'FIFO',
    stripComment: true,
    doc: 'Whether all queues are FIFO queues. The names of FIFO queues end in .fifo, so sqs.fifo.auto.detect finds them.',
  },
  'sqs.fifo.auto.detect': {
    type: 'boolean',
    default: true,
    importance: 'low',
    group: FIFO,
    displayName: 'Detect FIFO',
    stripComment: true,
    doc: 'Whether a queue whose URL ends in .fifo is read as a FIFO queue.',
  },
  'sqs.fifo.deduplication.enabled': {
    type: 'boolean',
    default: true,
    importance: 'medium',
    group: FIFO,
    displayName: 'Remove duplicates',
    stripComment: true,
    doc: 'Whether a message of a FIFO queue whose deduplication id Kafka has already is left out and deleted. Ids are remembered once Kafka has the record, and across restarts.',
  },
  'sqs.fifo.deduplication.window.ms': {
    type: 'long',
    default: 300_000,
    validator: { kind: 'range', min: 0, rejectNull: true },
    importance: 'low',
    group: FIFO,
    displayName: 'Deduplication window',
    stripComment: true,
    doc: 'How long a deduplication id is remembered after its message was deleted, in ms. SQS itself refuses an id for 5 minutes.',
  },
  'poll.interval.ms': {
    type: 'long',
    default: 1000,
    validator: { kind: 'range', min: 0, rejectNull: true },
    importance: 'low',
    group: 'Polling',
    displayName: 'Poll interval',
    stripComment: true,
    doc: 'Shortest time, in ms, between the starts of two receives of an empty queue. Longer long polls, and queues with messages, do not wait.',
  },
  // Ours, with the names that the other sources have.
  'sqs.message.queue.size': {
    type: 'int',
    default: 1000,
    validator: { kind: 'range', min: 10 },
    importance: 'low',
    group: FLOW,
    displayName: 'Queue size',
    stripComment: true,
    doc: 'Most messages that a task holds while Kafka is slow. At this limit nothing is received, and messages stay in SQS. The visibility of each message held is extended.',
  },
  'queue.max.bytes': {
    type: 'long',
    default: 64 * MIB,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: FLOW,
    displayName: 'Queue bytes',
    stripComment: true,
    doc: 'Most bytes of messages that a task holds while Kafka is slow. At this limit nothing is received, and messages stay in SQS.',
  },
  'max.poll.records': {
    type: 'int',
    default: 500,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: FLOW,
    displayName: 'Batch size',
    stripComment: true,
    doc: 'Most records that one poll returns. The records of a poll are produced together.',
  },
} as const satisfies Keys
