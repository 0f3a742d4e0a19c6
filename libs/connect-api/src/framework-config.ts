import type { KeySpec, Keys } from '@tributary/config'
import type { Props } from './source.ts'

/**
 * The keys of a connector's configuration that the framework itself reads. Types, defaults, groups, widths, orders and
 * checks are those of Kafka Connect 3.9 (ConnectorConfig, SourceConnectorConfig); the texts are ours. `GET
 * /connector-plugins/{plugin}/config` lists these keys after the connector's own keys, validate lists them first.
 */

const COMMON = 'Common'
const ERRORS = 'Error Handling'
const EXACTLY_ONCE = 'Exactly Once Support'

const CONVERTER: KeySpec = {
  type: 'class',
  default: null,
  importance: 'low',
  doc: '',
  group: COMMON,
  width: 'short',
}

/** The keys of every connector, source or sink. */
export const COMMON_CONNECTOR_KEYS = {
  name: {
    type: 'string',
    validator: { kind: 'nameText' },
    importance: 'high',
    doc: 'Name of the connector, unique in the cluster. Offsets belong to the name and stay when the connector is deleted.',
    group: COMMON,
    width: 'medium',
    displayName: 'Connector name',
    order: 1,
  },
  'connector.class': {
    type: 'string',
    importance: 'high',
    doc: 'Class of the connector: the full name, an alias, the simple name, or the simple name without "Connector" at the end.',
    group: COMMON,
    width: 'long',
    displayName: 'Connector class',
    order: 2,
  },
  'tasks.max': {
    type: 'int',
    default: 1,
    validator: { kind: 'range', min: 1, rejectNull: true },
    importance: 'high',
    doc: 'Most tasks of this connector (≥ 1). A connector may make fewer tasks, and never more than 1000.',
    group: COMMON,
    width: 'short',
    displayName: 'Tasks max',
    order: 3,
  },
  'tasks.max.enforce': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether a connector fails that makes more tasks than tasks.max. Kafka Connect has deprecated this key.',
    group: COMMON,
    width: 'short',
    displayName: 'Enforce tasks max',
    order: 4,
  },
  'key.converter': {
    ...CONVERTER,
    doc: 'Class of the converter that turns the key of a record into bytes. Unset: the converter of the worker, which by default writes text as UTF-8 and bytes unchanged.',
    displayName: 'Key converter class',
    order: 5,
  },
  'value.converter': {
    ...CONVERTER,
    doc: 'Class of the converter that turns the value of a record into bytes. Unset: the converter of the worker, which by default writes text as UTF-8 and bytes unchanged.',
    displayName: 'Value converter class',
    order: 6,
  },
  'header.converter': {
    ...CONVERTER,
    doc: 'Class of the converter that turns the header values of a record into bytes. Unset: SimpleHeaderConverter, which writes a value as text.',
    displayName: 'Header converter class',
    order: 7,
  },
  transforms: {
    type: 'list',
    default: [],
    importance: 'low',
    doc: 'Aliases of the transformations, in the order in which they are applied. The keys transforms.<alias>.* configure each of them.',
    group: 'Transforms',
    width: 'long',
    displayName: 'Transforms',
    order: 8,
  },
  predicates: {
    type: 'list',
    default: [],
    importance: 'low',
    doc: 'Aliases of the predicates that transformations refer to. The keys predicates.<alias>.* configure each of them.',
    group: 'Predicates',
    width: 'long',
    displayName: 'Predicates',
    order: 9,
  },
  'config.action.reload': {
    type: 'string',
    default: 'restart',
    validator: { kind: 'oneOf', values: ['none', 'restart'] },
    importance: 'low',
    doc: 'What to do when a value from a config provider has changed. none: nothing. restart: restart the connector.',
    group: COMMON,
    width: 'medium',
    displayName: 'Reload Action',
    order: 10,
  },
  'errors.retry.timeout': {
    type: 'long',
    default: 0,
    importance: 'medium',
    doc: 'How long a failed transformation or conversion is retried, in ms. 0: no retries. -1: no limit.',
    group: ERRORS,
    width: 'medium',
    displayName: 'Retry Timeout for Errors',
    order: 1,
  },
  'errors.retry.delay.max.ms': {
    type: 'long',
    default: 60_000,
    importance: 'medium',
    doc: 'Longest wait between two retries of a transformation or conversion, in ms, before jitter is added.',
    group: ERRORS,
    width: 'medium',
    displayName: 'Maximum Delay Between Retries for Errors',
    order: 2,
  },
  'errors.tolerance': {
    type: 'string',
    default: 'none',
    validator: { kind: 'oneOf', values: ['none', 'all'] },
    importance: 'medium',
    doc: 'What happens to a record that cannot be transformed or converted. none: the record fails the task. all: the task counts and skips the record; errors.deadletterqueue.topic.name, if set, keeps it.',
    group: ERRORS,
    width: 'short',
    displayName: 'Error Tolerance',
    order: 3,
  },
  'errors.log.enable': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Whether each tolerated error is also logged.',
    group: ERRORS,
    width: 'short',
    displayName: 'Log Errors',
    order: 4,
  },
  'errors.log.include.messages': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    doc: 'Whether the log line of a tolerated error names the record: topic, partition, offset and timestamp.',
    group: ERRORS,
    width: 'short',
    displayName: 'Log Error Details',
    order: 5,
  },
} as const satisfies Keys

/** The 20 keys of a source connector, in Kafka Connect's order. */
export const SOURCE_CONNECTOR_KEYS = {
  ...COMMON_CONNECTOR_KEYS,
  'topic.creation.groups': {
    type: 'list',
    default: [],
    importance: 'low',
    doc: 'Groups of settings for topics that the connector creates. The keys topic.creation.<group>.* configure each of them.',
    group: 'Topic Creation',
    width: 'long',
    displayName: 'Topic Creation Groups',
    order: 1,
  },
  'exactly.once.support': {
    type: 'string',
    default: 'requested',
    validator: { kind: 'oneOf', values: ['REQUIRED', 'REQUESTED'], ignoreCase: true },
    importance: 'medium',
    doc: 'requested: the connector delivers at least once. required: a task writes its records and their offsets in one transaction, and a connector that cannot resume is refused.',
    group: EXACTLY_ONCE,
    width: 'short',
    displayName: 'Exactly once support',
    order: 2,
  },
  'transaction.boundary': {
    type: 'string',
    default: 'poll',
    validator: { kind: 'oneOf', values: ['INTERVAL', 'POLL', 'CONNECTOR'], ignoreCase: true },
    importance: 'medium',
    doc: 'When a transaction ends, with exactly.once.support=required. poll: at once after each batch; batches that arrive while a transaction ends share the next one. interval: after transaction.boundary.interval.ms. connector: when the connector says so, if it can.',
    group: EXACTLY_ONCE,
    width: 'short',
    displayName: 'Transaction Boundary',
    order: 3,
  },
  'transaction.boundary.interval.ms': {
    type: 'long',
    default: null,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    doc: 'How long a transaction stays open with transaction.boundary=interval, in ms (≥ 0). Unset: offset.commit.interval.ms.',
    group: EXACTLY_ONCE,
    width: 'short',
    displayName: 'Transaction boundary interval',
    order: 4,
  },
  'offsets.storage.topic': {
    type: 'string',
    default: null,
    validator: { kind: 'pattern', regex: '\\S', message: 'String must be non-empty' },
    importance: 'low',
    doc: 'Topic for the offsets of this connector alone. Unset: the offsets topic of the cluster.',
    group: 'offsets.topic',
    width: 'long',
    displayName: 'Offsets topic',
    order: 1,
  },
} as const satisfies Keys

/** Keys of Kafka Connect that are read more leniently, unless `connect.strict`: documents have `tasks.max=8  # more tasks`. */
export const LENIENT_CONNECTOR_KEYS = {
  'tasks.max': { ...COMMON_CONNECTOR_KEYS['tasks.max'], stripComment: true },
} as const satisfies Keys

/** More tasks would take a worker more memory and time to plan than its other connectors can spare. */
const MAX_TASKS = 1000

/** `tasks.max` of a valid configuration, at most 1000. */
export function maxTasksOf(props: Props): number {
  return Math.min(Number.parseInt(props['tasks.max'] ?? '1', 10), MAX_TASKS)
}

const DEAD_LETTERS = 'Dead-letter queue'
const FLOW = 'Flow control'

/**
 * Keys of source connectors that Kafka Connect does not have. They are separate, because strict mode leaves them out.
 */
export const TRIBUTARY_CONNECTOR_KEYS = {
  'errors.deadletterqueue.topic.name': {
    type: 'string',
    default: null,
    importance: 'medium',
    doc: 'Dead-letter topic for the records that errors.tolerance=all skips, with their original bytes and the error in headers. Unset: these records are only counted.',
    group: DEAD_LETTERS,
    width: 'medium',
    displayName: 'Dead-letter queue topic',
    order: 1,
  },
  'errors.deadletterqueue.topic.replication.factor': {
    type: 'int',
    default: -1,
    importance: 'medium',
    doc: "Replication factor with which the dead-letter topic is created if it is missing (≥ 1). -1: the broker's default.",
    group: DEAD_LETTERS,
    width: 'medium',
    displayName: 'Dead-letter queue replication factor',
    order: 2,
  },
  'errors.deadletterqueue.context.headers.enable': {
    type: 'boolean',
    default: true,
    importance: 'medium',
    doc: 'Whether a record in the dead-letter topic has __connect.errors.* headers, which say where the record came from and what failed.',
    group: DEAD_LETTERS,
    width: 'medium',
    displayName: 'Dead-letter queue context headers',
    order: 3,
  },
  'topic.creation.enable': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether the task creates a missing topic. False: a missing topic fails the task.',
    group: 'Topic Creation',
    width: 'short',
    displayName: 'Topic creation',
    order: 2,
  },
  'max.in.flight.records': {
    type: 'int',
    default: 5000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    doc: 'Most records of a task that wait for the acknowledgement of the broker (≥ 1). At this limit the task stops polling until records are acknowledged. With exactly.once.support=required as many again may wait for the next transaction.',
    group: FLOW,
    width: 'short',
    displayName: 'Records in flight',
    order: 1,
  },
  'max.in.flight.bytes': {
    type: 'long',
    default: 8_388_608,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    doc: 'Most bytes of a task that wait for the acknowledgement of the broker (≥ 1). At this limit the task stops polling until bytes are acknowledged.',
    group: FLOW,
    width: 'short',
    displayName: 'Bytes in flight',
    order: 2,
  },
  'offset.commit.interval.ms': {
    type: 'long',
    default: 100,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    doc: 'Shortest time between two writes of offsets, in ms (≥ 0).',
    group: FLOW,
    width: 'short',
    displayName: 'Offset commit interval',
    order: 3,
  },
  'task.shutdown.graceful.timeout.ms': {
    type: 'long',
    default: 5000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    doc: 'Longest time that a stopping task may take to produce its queued records and to wait for their acknowledgements, in ms (≥ 0).',
    group: FLOW,
    width: 'short',
    displayName: 'Graceful shutdown',
    order: 4,
  },
  'task.handover.overlap': {
    type: 'string',
    default: 'auto',
    validator: { kind: 'oneOf', values: ['auto', 'never'], ignoreCase: true },
    importance: 'low',
    doc: 'Whether two runs of a task may be connected at once, so that a changed configuration, a planned move and an old connection cost no gap. auto: if the source allows it; after the source has refused a second connection, a changed configuration is applied without one. never: one run ends before the next connects, for servers that allow one connection an account.',
    group: FLOW,
    width: 'short',
    displayName: 'Overlap of runs',
    order: 5,
  },
} as const satisfies Keys

/** Whether `exactly.once.support=required` turns exactly once on for a connector. `requested`, the default, does not. */
export function requiresExactlyOnce(props: Props): boolean {
  return props['exactly.once.support']?.trim().toLowerCase() === 'required'
}
