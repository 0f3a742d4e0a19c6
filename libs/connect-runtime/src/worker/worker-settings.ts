import { type ConfigSpec, defineConfig, kafkaSettings } from '@tributary/config'
import { storageKeys } from '@tributary/connect-storage'

const keys = {
  ...kafkaSettings,
  ...storageKeys,
  'internal.key': {
    type: 'password',
    default: null,
    importance: 'medium',
    group: 'Worker',
    doc: 'Shared with the control plane: its requests to internal routes carry it. Without one they are open, so keep the admin server on loopback.',
  },
  'session.timeout.ms': {
    type: 'int',
    default: 10_000,
    validator: { kind: 'range', min: 1 },
    importance: 'medium',
    group: 'Group',
    doc: 'ms without a heartbeat after which other workers take over the work of this one. The broker allows 6000 to 1800000 by default.',
  },
  'heartbeat.interval.ms': {
    type: 'int',
    default: 500,
    validator: { kind: 'range', min: 10 },
    importance: 'low',
    group: 'Group',
    doc: 'ms between heartbeats to the group coordinator.',
  },
  'rebalance.timeout.ms': {
    type: 'int',
    default: 10_000,
    validator: { kind: 'range', min: 1000 },
    importance: 'low',
    group: 'Group',
    doc: 'ms that a round of the group waits for its members.',
  },
  'rebalance.settle.ms': {
    type: 'int',
    default: 2000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: 'Group',
    doc: 'ms after a change of the membership before running work is moved for balance alone. Work without an owner is placed at once.',
  },
  'producer.driver': {
    type: 'string',
    default: 'platformatic',
    validator: { kind: 'oneOf', values: ['platformatic', 'kafkajs'] },
    importance: 'low',
    group: 'Producer',
    doc: 'Kafka client of the record path.',
  },
  'producer.compression.type': {
    type: 'string',
    default: 'none',
    validator: { kind: 'oneOf', values: ['none', 'gzip', 'snappy', 'lz4', 'zstd'] },
    importance: 'medium',
    group: 'Producer',
    doc: 'Compression of produced batches; a connector may override it by producer.override.compression.type.',
  },
  'key.converter': {
    type: 'class',
    default: 'io.tributary.connect.converters.PlainConverter',
    importance: 'low',
    group: 'Converters',
    doc: 'Key converter of connectors that name none. PlainConverter writes text as UTF-8 and bytes as they are.',
  },
  'value.converter': {
    type: 'class',
    default: 'io.tributary.connect.converters.PlainConverter',
    importance: 'low',
    group: 'Converters',
    doc: 'Value converter of connectors that name none.',
  },
  'exactly.once.source.support': {
    type: 'string',
    default: 'enabled',
    validator: { kind: 'oneOf', values: ['DISABLED', 'PREPARING', 'ENABLED'], ignoreCase: true },
    importance: 'high',
    group: 'Tasks',
    doc: 'Whether a connector may have exactly.once.support=required. Unlike in Kafka Connect, where the default is disabled, enabled changes nothing for the others; preparing is the same as disabled.',
  },
  'task.shutdown.graceful.timeout.ms': {
    type: 'int',
    default: 5000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: 'Tasks',
    doc: 'ms that a stopping task has to deliver and commit what it holds; what is left is given up, counted and logged.',
  },
  'task.restart.max': {
    type: 'int',
    default: 100,
    validator: { kind: 'range', min: 0 },
    importance: 'medium',
    group: 'Healing',
    doc: 'How often a task that failed by an outage restarts by itself before it stays FAILED; 0: never. A healthy period, a restart by hand and a changed configuration give the whole number back. With the default waits 100 last between 45 and 95 minutes.',
  },
  'task.restart.backoff.ms': {
    type: 'int',
    default: 1000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: 'Healing',
    doc: 'Longest wait in ms before the first of these restarts; it doubles with each further one, and a random part of up to a half is taken off.',
  },
  'task.restart.backoff.max.ms': {
    type: 'int',
    default: 60_000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: 'Healing',
    doc: 'Longest wait in ms before any of these restarts.',
  },
  'task.restart.healthy.ms': {
    type: 'int',
    default: 60_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: 'Healing',
    doc: 'ms that a task runs without failing until it counts as healthy: its budget of restarts is whole again, and it is forgotten that it ended processes by holding their event loop.',
  },
  'event.loop.stall.ms': {
    type: 'int',
    default: 5000,
    validator: { kind: 'range', min: 0 },
    importance: 'medium',
    group: 'Healing',
    doc: 'ms that the code of one task may hold the event loop, in which no other task runs, before it is FAILED by name; at most half of session.timeout.ms counts. A process whose loop has not returned after 0.7 of session.timeout.ms is ended, so that other workers take over. 0: nobody watches, as needed under a debugger.',
  },
} as const

/** Settings of every ingest service, from `TRIBUTARY_*` and `KAFKA_BROKERS`. */
export const workerSettings: ConfigSpec<typeof keys> = defineConfig(keys)

/** Keys that a connector inherits from its worker when it does not set them. */
export const INHERITED_KEYS = [
  'key.converter',
  'value.converter',
  'producer.compression.type',
  'task.shutdown.graceful.timeout.ms',
] as const
