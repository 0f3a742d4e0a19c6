import { type ConfigOf, defineConfig, kafkaRules, kafkaSettings } from '@tributary/config'
import { auditKeys, historyKeys, storageKeys } from '@tributary/connect-storage'
import { serviceSettings } from '@tributary/service'
import { accessKeys } from './access/settings.ts'

const keys = {
  'rest.host': {
    type: 'string',
    default: '127.0.0.1',
    importance: 'high',
    group: 'REST',
    doc: 'Address on which the REST API listens. An address other than loopback needs access.authentication, or admin.allow.unauthenticated.',
  },
  'rest.port': {
    type: 'int',
    default: 8083,
    validator: { kind: 'range', min: 0, max: 65_535 },
    importance: 'high',
    group: 'REST',
    doc: 'Port of the REST API. 0: a free port, which the log names.',
  },
  'operators.host': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'REST',
    doc: "Address on which the operators' API listens: /dlq, /health, /metrics, and all paths of the REST API. Unset: rest.host. An address other than loopback needs what rest.host needs.",
  },
  'operators.port': {
    type: 'int',
    default: null,
    validator: { kind: 'range', min: -1, max: 65_535 },
    importance: 'medium',
    group: 'REST',
    doc: "Port of the operators' API. Unset: 8080, or a free port if rest.port is 0. 0: a free port, which the log names. -1: there is no such port; the paths under /dlq and /api/v1 are on the REST API's as well.",
  },
  'rest.request.timeout.ms': {
    type: 'int',
    default: 90_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: 'REST',
    doc: 'Longest time for a request, in ms. After this time the request is answered with 500, but the work that it began may still complete.',
  },
  'rest.advertised.host.name': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'REST',
    doc: 'Host under which other replicas reach the REST API of this replica, to send writes to the leader. Unset: rest.host, or the name of this machine if rest.host is a wildcard.',
  },
  'rest.advertised.port': {
    type: 'int',
    default: null,
    validator: { kind: 'range', min: 1, max: 65_535 },
    importance: 'medium',
    group: 'REST',
    doc: 'Port under which other replicas reach the REST API of this replica. Unset: the port on which the API listens.',
  },
  'rest.allowed.hosts': {
    type: 'string',
    default: '',
    importance: 'medium',
    group: 'REST',
    doc: 'More names of this machine that requests to the REST API may have in their Host header, separated by commas. * stands for any characters. Addresses, localhost, rest.host and rest.advertised.host.name are always allowed, and beyond loopback the name of this machine and names without a dot. Other names are answered with 421, as a web page may point a name of its own here.',
  },
  'rest.trusted.proxies': {
    type: 'string',
    default: '',
    importance: 'low',
    group: 'REST',
    doc: 'Addresses of reverse proxies, separated by commas, such as 10.0.0.0/8. Their X-Forwarded-For names the caller, whom limits count, and X-Forwarded-Proto and X-Forwarded-Host the address that Location names. Empty: these headers are not believed.',
  },
  'rest.requests.per.second': {
    type: 'int',
    default: 1000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: 'REST',
    doc: 'Most requests of one caller to the REST API in a second, on average; twice as many at once. Others are answered with 429. A caller is who has logged in, else an address. Addresses of this machine are not limited. 0: no limit.',
  },
  'access.failed.logins.per.minute': {
    type: 'int',
    default: 30,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group: 'REST',
    doc: 'Most failed logins from one address in a minute. Beyond, credentials from there that were not right before are answered with 429 and not looked at. 0: no limit.',
  },
  'access.control.allow.origin': {
    type: 'string',
    default: '',
    importance: 'low',
    group: 'REST',
    doc: 'Origins whose pages may call the REST API, separated by commas. * stands for any characters. Empty: none.',
  },
  'access.control.allow.methods': {
    type: 'string',
    default: '',
    importance: 'low',
    group: 'REST',
    doc: 'Methods that pages of other origins may use, separated by commas. Empty: GET, POST and HEAD.',
  },
  'connect.strict': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: 'REST',
    doc: "Whether the REST API answers exactly as Kafka Connect does, except 400 where Connect answers 500 to a client's mistake. False: a restart also restarts failed tasks, PUT config accepts a wrapped or partial config, POST and validate accept more, and connectors have additional framework keys.",
  },
  'records.mask.fields': {
    type: 'list',
    default: ['secrets'],
    importance: 'medium',
    group: 'REST',
    doc: "Names of fields, separated by commas, whose values the REST API hides in the records that it shows: dead letters, previews, live tails. * stands for any characters, ? for one, and secrets for all names that look like a secret's, such as password and api_key. Empty: none. What is in Kafka stays as it is.",
    example: 'secrets, card_*, ssn',
  },
  'internal.key': serviceSettings.keys['internal.key'],
  'dlq.topics': {
    type: 'list',
    default: [],
    importance: 'medium',
    group: 'Dead letters',
    doc: 'Dead-letter topics beside those that connectors name: of other clusters, of connectors that are gone, or whose name a connector takes from a ${…} reference.',
  },
  'dlq.max.replays': {
    type: 'int',
    default: 3,
    validator: { kind: 'range', min: 1, max: 1000 },
    importance: 'medium',
    group: 'Dead letters',
    doc: 'Replays that may fail on a dead letter. The next one that takes the letter puts it into quarantine, unless it is forced.',
  },
  'dlq.storage.topic': {
    type: 'string',
    default: null,
    // Connectors refuse such a name as their target: see internalTopic.
    validator: {
      kind: 'pattern',
      regex: '^([a-zA-Z0-9._-]{1,200}[._-])?connect[._-]dead-letters$',
      message: 'must be connect-dead-letters, or end with -connect-dead-letters',
    },
    importance: 'low',
    group: 'Dead letters',
    doc: 'Topic of replays and of what was done about dead letters (1 partition, compacted), which only the control plane reads and writes. Unset: <cluster>-connect-dead-letters.',
  },
  'dlq.index.folder': {
    type: 'string',
    default: null,
    importance: 'low',
    group: 'Dead letters',
    doc: 'Folder of the index of dead letters, which is built from Kafka at each start. Unset: a folder of its own among the temporary files.',
  },
  'session.timeout.ms': {
    type: 'int',
    default: 10_000,
    validator: { kind: 'range', min: 1 },
    importance: 'medium',
    group: 'Cluster',
    doc: 'Longest time without a heartbeat from the leader, in ms. After this time another replica leads. By default a broker allows 6000 to 1800000.',
  },
  'heartbeat.interval.ms': {
    type: 'int',
    default: 500,
    validator: { kind: 'range', min: 10 },
    importance: 'low',
    group: 'Cluster',
    doc: 'Time between two heartbeats to the group coordinator, in ms.',
  },
  'rebalance.timeout.ms': {
    type: 'int',
    default: 10_000,
    validator: { kind: 'range', min: 1000 },
    importance: 'low',
    group: 'Cluster',
    doc: 'Longest time that an election waits for the replicas, in ms.',
  },
  'admin.allow.unauthenticated': serviceSettings.keys['admin.allow.unauthenticated'],
  'admin.metrics.token': serviceSettings.keys['admin.metrics.token'],
  ...accessKeys,
  ...auditKeys,
  ...historyKeys,
  ...storageKeys,
  ...kafkaSettings,
} as const

/** Settings of the control plane, from `TRIBUTARY_*` and `KAFKA_BROKERS`; `--help` prints them. */
export const controlPlaneSettings = defineConfig(keys, { rules: kafkaRules })
/** The port of the operators' API by default. */
const OPERATORS_PORT = 8080

/** The address of the operators' API; null while it is off. */
export function operatorsAddress(
  settings: ControlPlaneSettings,
): { readonly host: string; readonly port: number } | null {
  const port = settings['operators.port'] ?? (settings['rest.port'] === 0 ? 0 : OPERATORS_PORT)
  return port < 0 ? null : { host: settings['operators.host'] ?? settings['rest.host'], port }
}

export type ControlPlaneSettings = ConfigOf<typeof controlPlaneSettings>
