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
    doc: 'Address on which the admin server (/health, /ready, /metrics) listens.',
  },
  'admin.port': {
    type: 'int',
    default: 0,
    validator: { kind: 'range', min: 0, max: 65_535 },
    importance: 'medium',
    group,
    doc: 'Port of the admin server. 0: a free port, which the log event service_started names.',
  },
  'admin.allow.unauthenticated': {
    type: 'boolean',
    default: false,
    importance: 'medium',
    group,
    doc: 'Whether servers without authentication may listen on addresses other than loopback.',
  },
  'admin.allowed.hosts': {
    type: 'string',
    default: '',
    importance: 'low',
    group,
    doc: 'More names of this machine that requests to the admin server may have in their Host header, separated by commas. * stands for any characters. Addresses, localhost, admin.host and advertised.host are always allowed, and beyond loopback the name of this machine and names without a dot.',
  },
  'advertised.host': {
    type: 'string',
    default: null,
    importance: 'medium',
    group,
    doc: 'Host under which other services reach this service; part of the worker id. Unset: admin.host, or the name of this machine if admin.host is a wildcard.',
  },
  'log.level': {
    type: 'string',
    default: 'info',
    importance: 'low',
    group,
    validator: { kind: 'oneOf', values: ['trace', 'debug', 'info', 'warn', 'error', 'off'], ignoreCase: true },
    doc: 'Level of the root logger at the start. /admin/loggers changes levels while the service runs.',
  },
  'log.file': {
    type: 'string',
    default: null,
    importance: 'low',
    group,
    doc: 'File to which the log is appended, besides standard output. Its folder is created. Services may share the file. To rotate it, copy and truncate it.',
  },
  'shutdown.timeout.ms': {
    type: 'int',
    default: 10_000,
    validator: { kind: 'range', min: 0 },
    importance: 'low',
    group,
    doc: 'Longest time for a graceful stop, in ms. After this time the process ends with exit code 1.',
  },
  'parent.watch': {
    type: 'boolean',
    default: false,
    importance: 'low',
    group,
    doc: 'Whether the service stops when its standard input ends, so that no service outlives the process that started it.',
  },
})
