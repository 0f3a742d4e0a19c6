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
  'task.shutdown.graceful.timeout.ms': {
    type: 'int',
    default: 5000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: 'Tasks',
    doc: 'ms that a stopping task has to deliver and commit what it holds; what is left is given up, counted and logged.',
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
