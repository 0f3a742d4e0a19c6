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
    doc: 'Shared with the workers, which ask for it on their internal routes. Unset: only a worker without a key answers.',
  },
  'admin.allow.unauthenticated': serviceSettings.keys['admin.allow.unauthenticated'],
  ...storageKeys,
  ...kafkaSettings,
} as const

/** Settings of the control plane, from `TRIBUTARY_*` and `KAFKA_BROKERS`; `--help` prints them. */
export const controlPlaneSettings = defineConfig(keys, { rules: kafkaRules })
export type ControlPlaneSettings = ConfigOf<typeof controlPlaneSettings>
