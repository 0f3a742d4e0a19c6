import { defineConfig, type Keys } from '@tributary/config'

const group = 'Service'

/** The settings of TLS for the servers of a process, and for its requests to other processes. */
export const tlsSettings = {
  'tls.cert': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'TLS',
    doc: "File of the certificate with which the process's servers answer by https, in PEM, with the certificates between it and its CA; or the PEM text itself. Read again when it changes. Unset: http.",
  },
  'tls.key': {
    type: 'password',
    default: null,
    importance: 'medium',
    group: 'TLS',
    doc: 'File of the private key of tls.cert, in PEM, or the PEM text itself. It may be the same file.',
  },
  'tls.key.password': {
    type: 'password',
    default: null,
    importance: 'low',
    group: 'TLS',
    doc: 'Password of an encrypted tls.key.',
  },
  'tls.ca': {
    type: 'string',
    default: null,
    importance: 'medium',
    group: 'TLS',
    doc: 'File of the certificates of the CAs, in PEM, that sign the certificates of the other processes and of clients; or the PEM text itself. Unset: for other processes, the CAs that Node knows.',
  },
  'tls.client.auth': {
    type: 'string',
    default: 'none',
    validator: { kind: 'oneOf', values: ['none', 'requested', 'required'] },
    importance: 'medium',
    group: 'TLS',
    doc: 'Whether clients show a certificate that tls.ca signs: none, requested, or required of every request, those of probes included.',
  },
} as const satisfies Keys

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
  'admin.metrics.token': {
    type: 'password',
    default: null,
    importance: 'medium',
    group,
    doc: 'Bearer token that GET /metrics requires, as the credentials_file of Prometheus holds it. A client certificate that tls.ca signs serves as well. With internal.key and one of both, the admin server may listen beyond loopback.',
  },
  'internal.key': {
    type: 'password',
    default: null,
    importance: 'high',
    group,
    doc: 'Secret that all services of a cluster share, 32 random characters or more. It signs the requests between them, and is never sent. While it is changed: new,old. Unset: the requests are not signed, and routes between services are open, so keep every server on loopback.',
  },
  ...tlsSettings,
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
