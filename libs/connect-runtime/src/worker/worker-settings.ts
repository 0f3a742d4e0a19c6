import { ConfigException, type ConfigSpec, defineConfig, kafkaSettings, providerSettings } from '@tributary/config'
import { DeniedNetworks } from '@tributary/connect-api'
import { storageKeys } from '@tributary/connect-storage'

const keys = {
  ...kafkaSettings,
  ...storageKeys,
  ...providerSettings,
  'data.dir': {
    type: 'string',
    default: '.tributary',
    validator: { kind: 'nonEmpty' },
    importance: 'medium',
    group: 'Worker',
    doc: 'Folder for data that tasks keep on disk, such as messages spilled while Kafka is away; each task uses <connector>/<task>. The folder must outlive the process. Workers on one host may share the folder.',
  },
  'connect.deny.networks': {
    type: 'list',
    default: [],
    importance: 'medium',
    group: 'Worker',
    doc: 'Networks that connectors may not connect to, separated by commas: addresses, CIDRs (10.0.0.0/8), and the names loopback (with Unix sockets), link-local, metadata (credentials of cloud machines) and private. Checked on the address that is connected to, after DNS and redirects, also for proxies that a connector names. Kafka, proxies of the environment and the services themselves are not concerned. Empty: none.',
    example: 'loopback,link-local,metadata',
  },
  'memory.budget.percent': {
    type: 'int',
    default: 20,
    validator: { kind: 'range', min: 1, max: 90 },
    importance: 'medium',
    group: 'Worker',
    doc: "Memory that messages waiting for Kafka may take over all tasks of the process, in percent of the container's memory limit, or of the machine's memory without one; at most half of the heap of V8. At this limit overflow.policy decides what happens to the loudest sources first.",
  },
  'group.instance.id': {
    type: 'string',
    default: null,
    validator: {
      kind: 'all',
      of: [
        {
          kind: 'pattern',
          regex: '^[a-zA-Z0-9._-]{1,249}$',
          message: 'letters, digits, ".", "_" and "-" only, at most 249',
        },
        { kind: 'pattern', regex: '[^.]|^\\.{3}', message: '"." and ".." are no names' },
      ],
    },
    importance: 'medium',
    group: 'Group',
    doc: 'Name of this process in its group, the same at each start and different for every replica. A killed process that is started again under its name goes on at once instead of after session.timeout.ms. Of two running processes with one name the newer goes on, and the older stops its tasks until it is started again. Unset: POD_NAME, else in Kubernetes a host name that ends in -<ordinal>, as a pod of a StatefulSet has it; otherwise the process is a new member at each start.',
  },
  'event.loop.interval.ms': {
    type: 'double',
    default: 1,
    validator: { kind: 'range', min: 0, max: 10 },
    importance: 'low',
    group: 'Worker',
    doc: 'Shortest time, in ms, from one turn of the event loop to the next while it turns more than 3000 times a second. All connections are then read, and all requests sent, in bunches, which costs a fraction of the CPU time a message. 0: the loop turns for each message, however many come.',
  },
  'connect.strict': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group: 'Worker',
    doc: 'Whether a configuration that is put again without a change has no effect, as in Kafka Connect. False: it makes the tasks connect anew if a file that it names, such as a certificate, was written meanwhile. Give the control plane the same value.',
  },
  'session.timeout.ms': {
    type: 'int',
    default: 10_000,
    validator: { kind: 'range', min: 1 },
    importance: 'medium',
    group: 'Group',
    doc: 'Longest time without a heartbeat from this worker, in ms. After this time other workers take over its tasks. By default a broker allows 6000 to 1800000.',
  },
  'heartbeat.interval.ms': {
    type: 'int',
    default: 500,
    validator: { kind: 'range', min: 10 },
    importance: 'low',
    group: 'Group',
    doc: 'Time between two heartbeats to the group coordinator, in ms.',
  },
  'rebalance.timeout.ms': {
    type: 'int',
    default: 10_000,
    validator: { kind: 'range', min: 1000 },
    importance: 'low',
    group: 'Group',
    doc: 'Longest time that a rebalance waits for the members of the group, in ms.',
  },
  'rebalance.settle.ms': {
    type: 'int',
    default: 2000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: 'Group',
    doc: 'Time after a change of the membership, in ms, before running tasks move for balance. Tasks without a worker are assigned at once.',
  },
  'producer.driver': {
    type: 'string',
    default: 'tributary',
    validator: { kind: 'oneOf', values: ['tributary', 'kafkajs', 'platformatic'] },
    importance: 'low',
    group: 'Producer',
    doc: 'Kafka client with which tasks produce records: our own, or kafkajs. `platformatic` is an earlier name of our own.',
  },
  'producer.compression.type': {
    type: 'string',
    default: 'none',
    validator: { kind: 'oneOf', values: ['none', 'gzip', 'snappy', 'lz4', 'zstd'] },
    importance: 'medium',
    group: 'Producer',
    doc: 'Compression of produced batches. A connector may set its own with producer.override.compression.type.',
  },
  'producer.acks': {
    type: 'string',
    default: 'all',
    validator: { kind: 'oneOf', values: ['all', '-1', '1', '0'] },
    importance: 'low',
    group: 'Producer',
    doc: 'Accepted for settings of Kafka Connect. The producer always waits for all in-sync replicas; 1 and 0 are raised to all, which the log says.',
  },
  'producer.linger.ms': {
    type: 'int',
    default: 0,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: 'Producer',
    doc: 'Time, in ms, that records wait for others that may share their request, unless they fill one. A connector may set its own with producer.override.linger.ms, as with each producer setting.',
  },
  'producer.batch.size': {
    type: 'int',
    default: null,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: 'Producer',
    doc: 'Most bytes of a batch of one partition; a larger record is sent alone. A small value costs throughput, as one batch of a partition is in flight at a time. 0: one record a batch. Unset: 1 MB.',
  },
  'producer.max.request.size': {
    type: 'int',
    default: null,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: 'Producer',
    doc: 'The same as producer.batch.size; the smaller of both counts. Unset: 1 MB.',
  },
  'producer.request.timeout.ms': {
    type: 'int',
    default: 30_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: 'Producer',
    doc: 'Time, in ms, after which a request without an answer is sent again.',
  },
  'producer.retry.backoff.ms': {
    type: 'int',
    default: 100,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: 'Producer',
    doc: 'First wait before a request is sent again, in ms. The wait doubles with each further try, to ten times this value.',
  },
  'key.converter': {
    type: 'class',
    default: 'io.tributary.connect.converters.PlainConverter',
    importance: 'low',
    group: 'Converters',
    doc: 'Key converter of connectors that set none. PlainConverter writes text as UTF-8 and bytes unchanged.',
  },
  'value.converter': {
    type: 'class',
    default: 'io.tributary.connect.converters.PlainConverter',
    importance: 'low',
    group: 'Converters',
    doc: 'Value converter of connectors that set none.',
  },
  'exactly.once.source.support': {
    type: 'string',
    default: 'enabled',
    validator: { kind: 'oneOf', values: ['DISABLED', 'PREPARING', 'ENABLED'], ignoreCase: true },
    importance: 'high',
    group: 'Tasks',
    doc: 'Whether connectors may set exactly.once.support=required. enabled is the default, unlike in Kafka Connect, because it changes nothing for other connectors. preparing is the same as disabled.',
  },
  'task.shutdown.graceful.timeout.ms': {
    type: 'int',
    default: 5000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: 'Tasks',
    doc: 'Longest time, in ms, that a stopping task may take to deliver and commit the records that it holds. The task gives up the rest, which is counted and logged.',
  },
  'task.handover.timeout.ms': {
    type: 'int',
    default: 10_000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: 'Tasks',
    doc: 'Longest time, in ms, that a new run of a task may take to connect while its predecessor still reads: after a change of the configuration, at a planned move, or before a connection gets too old.',
  },
  'task.restart.max': {
    type: 'int',
    default: 100,
    validator: { kind: 'range', min: 0 },
    importance: 'medium',
    group: 'Healing',
    doc: 'Most automatic restarts of a task that an outage has failed, before the task stays FAILED. 0: no restarts. A healthy period, a manual restart and a change of the configuration each reset the count. With the default waits 100 restarts last 45 to 95 minutes.',
  },
  'task.restart.backoff.ms': {
    type: 'int',
    default: 1000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: 'Healing',
    doc: 'Longest wait before the first automatic restart, in ms. The wait doubles with each further restart, and is shortened at random by up to a half.',
  },
  'task.restart.backoff.max.ms': {
    type: 'int',
    default: 60_000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: 'Healing',
    doc: 'Longest wait before any automatic restart, in ms.',
  },
  'task.restart.healthy.ms': {
    type: 'int',
    default: 60_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: 'Healing',
    doc: 'Time, in ms, that a task must run without failing to count as healthy. Its count of automatic restarts is then reset, and so is its count of processes that it ended by holding the event loop.',
  },
  'event.loop.stall.ms': {
    type: 'int',
    default: 5000,
    validator: { kind: 'range', min: 0 },
    importance: 'medium',
    group: 'Healing',
    doc: 'Longest time, in ms of CPU time or of synchronous waiting, for one callback of a task; no other task runs meanwhile. A task that takes longer is FAILED. The limit is at most half of session.timeout.ms. If a callback has not returned after 70 % of session.timeout.ms, the process ends, so that other workers take over. 0: no watch, as a debugger needs.',
  },
} as const

/** Settings of every ingest service, from `TRIBUTARY_*` and `KAFKA_BROKERS`. */
export const workerSettings: ConfigSpec<typeof keys> = defineConfig(keys)

/** What `connect.deny.networks` lists; null: nothing. Throws ConfigException. */
export function deniedNetworks(entries: readonly string[]): DeniedNetworks | null {
  try {
    return entries.length === 0 ? null : new DeniedNetworks(entries)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    const name = 'connect.deny.networks'
    const message = `Invalid value ${entries.join(',')} for configuration ${name}: ${error.message}`
    throw new ConfigException(message, [{ name, message }])
  }
}

/** Keys whose values a connector inherits from its worker when its configuration does not set them. */
export const INHERITED_KEYS = [
  'key.converter',
  'value.converter',
  'producer.compression.type',
  'producer.acks',
  'producer.linger.ms',
  'producer.batch.size',
  'producer.max.request.size',
  'producer.request.timeout.ms',
  'producer.retry.backoff.ms',
  'task.shutdown.graceful.timeout.ms',
] as const
