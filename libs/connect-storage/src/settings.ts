import type { Keys, KeySpec, ValuesOf } from '@tributary/config'
import type { StoresOptions } from './stores.ts'
import type { StoreName } from './types.ts'

const replicationOf = <const N extends string>(topic: N) =>
  ({
    type: 'int',
    default: null,
    importance: 'low',
    group: 'Internal topics',
    doc: `Replication factor with which the ${topic} topic is created. Unset: storage.replication.factor.`,
  }) as const satisfies KeySpec

/**
 * Settings of the internal topics, under Kafka Connect's names. The control plane and every worker have the same
 * settings.
 */
export const storageKeys = {
  cluster: {
    type: 'string',
    default: 'tributary',
    validator: { kind: 'pattern', regex: '^[a-zA-Z0-9._-]{1,100}$', message: 'letters, digits, ".", "_" and "-" only' },
    importance: 'high',
    group: 'Cluster',
    doc: 'Name of the cluster, which prefixes every internal topic, group and transactional id. All services of a cluster have the same name.',
  },
  'config.storage.topic': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Internal topics',
    doc: 'Topic of connector configurations (1 partition, compacted). Unset: <cluster>-connect-configs, or <cluster>-configs where only that exists.',
  },
  'offset.storage.topic': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Internal topics',
    doc: 'Topic of source offsets (compacted). Unset: <cluster>-connect-offsets, or <cluster>-offsets where only that exists.',
  },
  'offset.storage.partitions': {
    type: 'int',
    default: 25,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: 'Internal topics',
    doc: 'Number of partitions with which the offsets topic is created. The default is that of Kafka Connect.',
  },
  'status.storage.topic': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Internal topics',
    doc: 'Topic of connector and task states (compacted). Unset: <cluster>-connect-status, or <cluster>-status where only that exists.',
  },
  'status.storage.partitions': {
    type: 'int',
    default: 5,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: 'Internal topics',
    doc: 'Number of partitions with which the status topic is created. The default is that of Kafka Connect.',
  },
  'plugin.storage.topic': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Internal topics',
    doc: 'Topic to which workers publish their plugins (1 partition, compacted). Unset: <cluster>-connect-plugins, or <cluster>-plugins where only that exists.',
  },
  'access.storage.topic': {
    type: 'string',
    default: null,
    // Workers refuse such a name as the target of a connector, whether or not they have this setting: see internalTopic.
    validator: {
      kind: 'pattern',
      regex: '^([a-zA-Z0-9._-]{1,200}[._-])?connect[._-]access$',
      message: 'must be connect-access, or end with -connect-access',
    },
    importance: 'low',
    group: 'Internal topics',
    doc: 'Topic of the API keys of the REST API (1 partition, compacted), which only the control plane reads and writes. Its name ends with connect-access. Unset: <cluster>-connect-access.',
  },
  'history.storage.topic': {
    type: 'string',
    default: null,
    // As for the access topic.
    validator: {
      kind: 'pattern',
      regex: '^([a-zA-Z0-9._-]{1,200}[._-])?connect[._-]history$',
      message: 'must be connect-history, or end with -connect-history',
    },
    importance: 'low',
    group: 'Internal topics',
    doc: 'Topic of the history of configurations (1 partition, compacted), which only the control plane reads and writes. Its name ends with connect-history. Unset: <cluster>-connect-history.',
  },
  'audit.storage.topic': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Internal topics',
    doc: 'Topic of the audit log of the REST API (1 partition, cleanup.policy=delete), which only the control plane reads and writes. Unset: <cluster>-connect-audit.',
  },
  'config.storage.replication.factor': replicationOf('config'),
  'offset.storage.replication.factor': replicationOf('offset'),
  'status.storage.replication.factor': replicationOf('status'),
  'storage.replication.factor': {
    type: 'int',
    default: -1,
    importance: 'low',
    group: 'Internal topics',
    doc: "Replication factor with which internal topics are created that have none of their own. -1: the broker's default.",
  },
} as const satisfies Keys

/** Settings of the history of configurations, for the control plane alone. */
export const historyKeys = {
  'config.history.versions': {
    type: 'int',
    default: 100,
    validator: { kind: 'range', min: 1, max: 10_000 },
    importance: 'low',
    group: 'History',
    doc: 'How many versions of each connector the history of configurations keeps. Older ones are removed with the next change of the connector.',
  },
} as const satisfies Keys

/** Settings of the audit log, for the control plane alone. */
export const auditKeys = {
  'audit.enabled': {
    type: 'boolean',
    default: null,
    importance: 'medium',
    group: 'Audit',
    doc: 'Whether changes, failed logins and refused requests are written to the audit topic, which GET /audit reads. Unset: when authentication is on.',
  },
  'audit.required': {
    type: 'boolean',
    default: true,
    importance: 'medium',
    group: 'Audit',
    doc: 'Whether changes are refused with 503 while the audit topic cannot be written. False: they are made, and the log of the process has the entries.',
  },
  'audit.retention.ms': {
    type: 'long',
    default: 31_536_000_000n,
    validator: { kind: 'range', min: -1 },
    importance: 'medium',
    group: 'Audit',
    doc: 'How long the audit topic keeps its records, in ms: a year by default. -1: for ever.',
  },
} as const satisfies Keys

type StorageValues = ValuesOf<typeof storageKeys>

/** The options of `createStores` that come from settings. */
export function storesOptions(
  values: StorageValues,
): Pick<StoresOptions, 'cluster' | 'names' | 'partitions' | 'replication' | 'replications'> {
  const names: [StoreName, string | null][] = [
    ['configs', values['config.storage.topic']],
    ['offsets', values['offset.storage.topic']],
    ['status', values['status.storage.topic']],
    ['plugins', values['plugin.storage.topic']],
  ]
  const replications: [StoreName, number | null][] = [
    ['configs', values['config.storage.replication.factor']],
    ['offsets', values['offset.storage.replication.factor']],
    ['status', values['status.storage.replication.factor']],
  ]
  return {
    cluster: values.cluster,
    names: given(names),
    replications: given(replications),
    partitions: { offsets: values['offset.storage.partitions'], status: values['status.storage.partitions'] },
    replication: values['storage.replication.factor'],
  }
}

function given<T>(entries: readonly (readonly [StoreName, T | null])[]): Partial<Record<StoreName, T>> {
  return Object.fromEntries(entries.filter(([, value]) => value !== null)) as Partial<Record<StoreName, T>>
}
