import { type ConfigOf, defineConfig, kafkaRules, kafkaSettings } from '@tributary/config'
import { storageKeys } from '@tributary/connect-storage'
import { serviceSettings } from '@tributary/service'

const keys = {
  'rest.host': {
    type: 'string',
    default: '127.0.0.1',
    importance: 'high',
    group: 'REST',
    doc: 'Address that the REST API listens on. It knows no authentication: beyond loopback it needs admin.allow.unauthenticated too.',
  },
  'rest.port': {
    type: 'int',
    default: 8083,
    validator: { kind: 'range', min: 0, max: 65_535 },
    importance: 'high',
    group: 'REST',
    doc: 'Port of the REST API (0 to 65535). 0: a free one, which the log names.',
  },
  'rest.request.timeout.ms': {
    type: 'int',
    default: 90_000,
    validator: { kind: 'range', min: 1 },
    importance: 'low',
    group: 'REST',
    doc: 'After this time a request is answered with 500, in ms (≥ 1). What it began may still happen.',
  },
  'rest.advertised.host.name': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'REST',
    doc: "Host under which the other replicas reach this one's REST API, to send it writes when it leads. Default: rest.host, or this machine's name when that is a wildcard.",
  },
  'rest.advertised.port': {
    type: 'int',
    default: null,
    validator: { kind: 'range', min: 1, max: 65_535 },
    importance: 'medium',
    group: 'REST',
    doc: "Port under which the other replicas reach this one's REST API (1 to 65535). Default: the port that it listens on.",
  },
  'access.control.allow.origin': {
    type: 'string',
    default: '',
    importance: 'low',
    group: 'REST',
    doc: 'Origins whose pages may call the REST API, with commas between them; * stands for any characters. Empty: none.',
  },
  'access.control.allow.methods': {
    type: 'string',
    default: '',
    importance: 'low',
    group: 'REST',
    doc: 'Methods that pages of other origins may use, with commas between them. Empty: GET, POST and HEAD.',
  },
  'connect.strict': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group: 'REST',
    doc: 'Exactly as Kafka Connect, save 400 where it answers 500 to a mistake of the client. Off: a restart also restarts failed tasks, PUT config takes a wrapped or partial config, and the framework has more keys.',
  },
  'internal.key': {
    type: 'password',
    default: null,
    importance: 'high',
    group: 'Cluster',
    doc: 'Shared with the workers, which ask for it on their internal routes, and with the other replicas. Unset: only a worker without a key answers.',
  },
  'session.timeout.ms': {
    type: 'int',
    default: 10_000,
    validator: { kind: 'range', min: 1 },
    importance: 'medium',
    group: 'Cluster',
    doc: 'ms without a heartbeat after which another replica takes over the writing. The broker allows 6000 to 1800000 by default.',
  },
  'heartbeat.interval.ms': {
    type: 'int',
    default: 500,
    validator: { kind: 'range', min: 10 },
    importance: 'low',
    group: 'Cluster',
    doc: 'ms between heartbeats to the group coordinator.',
  },
  'rebalance.timeout.ms': {
    type: 'int',
    default: 10_000,
    validator: { kind: 'range', min: 1000 },
    importance: 'low',
    group: 'Cluster',
    doc: 'ms that an election waits for the replicas.',
  },
  'admin.allow.unauthenticated': serviceSettings.keys['admin.allow.unauthenticated'],
  ...storageKeys,
  ...kafkaSettings,
} as const

/** Settings of the control plane, from `TRIBUTARY_*` and `KAFKA_BROKERS`; `--help` prints them. */
export const controlPlaneSettings = defineConfig(keys, { rules: kafkaRules })
export type ControlPlaneSettings = ConfigOf<typeof controlPlaneSettings>
