import { defineConfig } from '@tributary/config'

const group = 'Service'

/** The settings that every service has. */
export const serviceSettings = defineConfig({
  'admin.host': {
    type: 'string',
    default: '127.0.0.1',
    validator: { kind: 'nonEmpty' },
    importance: 'medium',
    group,
    doc: 'Address that the admin server (/health, /ready, /metrics) listens on.',
  },
  'admin.port': {
    type: 'int',
    default: 0,
    validator: { kind: 'range', min: 0, max: 65_535 },
    importance: 'medium',
    group,
    doc: 'Port of the admin server; 0: a free one, which the line event=service_started tells.',
  },
  'admin.allow.unauthenticated': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group,
    doc: 'Lets servers without authentication listen on other addresses than loopback.',
  },
  'advertised.host': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    doc: "Host under which others reach this service, part of its worker id. Default: admin.host, or this machine's name when that is a wildcard.",
  },
  'log.level': {
    type: 'string',
    default: 'info',
    importance: 'low',
    group,
    validator: { kind: 'oneOf', values: ['trace', 'debug', 'info', 'warn', 'error', 'off'], ignoreCase: true },
    doc: 'Level of the root logger at the start; /admin/loggers changes levels while running.',
  },
  'shutdown.timeout.ms': {
    type: 'int',
    default: 10_000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group,
    doc: 'Time to stop gracefully, in ms; after it the process ends with exit code 1.',
  },
  'parent.watch': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group,
    doc: 'Stop when standard input ends, so that no service outlives the process that started it.',
  },
})
