import { gzipSync, zstdCompressSync } from 'node:zlib'
import { wasmCodecs } from '../../libs/kafka/src/client/codecs.ts'

export interface RawRecord {
  readonly key: string
  /** null: a tombstone. */
  readonly value: unknown
  /** The members that lead to the part that a mutation changes; absent: the whole value. */
  readonly part?: readonly string[]
}

const record = (key: string, value: unknown): RawRecord => ({ key, value })

/** Records as Kafka Connect and our services write them, and what attackers have written. */
export const configs: readonly RawRecord[] = [
  record('connector-c', { properties: { name: 'c', 'connector.class': 'io.x.Source', 'tasks.max': '2', topic: 't' } }),
  record('connector-orders', { properties: { name: 'orders', 'connector.class': 'Source', a: null, b: 5, c: [1] } }),
  record('target-state-c', { state: 'PAUSED', 'state.v2': 'STOPPED' }),
  record('task-c-0', { properties: { 'task.class': 'io.x.Task', n: '0' }, generation: 3 }),
  record('task-c-1', { properties: { 'task.class': 'io.x.Task', n: '1' }, generation: 3 }),
  record('commit-c', { tasks: 2, generation: 3 }),
  record('commit-c', { tasks: 9007199254740991 }),
  record('commit-c', { tasks: 1 }),
  record('restart-connector-c', { 'include-tasks': true, 'only-failed': false, task: 1 }),
  record('logger-cluster-io.x', { level: 'DEBUG' }),
  record('session-key', { key: 'a2V5', algorithm: 'HmacSHA256', 'creation-timestamp': 1_700_000_000_000 }),
  record('tasks-fencing-c', { 'task-count': 3 }),
]

const status = { state: 'RUNNING', trace: null, worker_id: '10.0.0.1:8083', generation: 12 }

export const statuses: readonly RawRecord[] = [
  record('status-connector-c', status),
  record('status-task-c-0', status),
  record('status-task-c-1', { ...status, state: 'FAILED', trace: 'java.lang.X: why\n\tat y', stalls: 2 }),
  record('status-task-c-2', { ...status, state: 'UNASSIGNED', hand_over: '{"last":[1]}', worker_id: '[::1]:8083' }),
  record('status-topic-t:connector-c', { topic: { name: 't', connector: 'c', task: 0, discoverTimestamp: 1 } }),
]

export const offsets: readonly RawRecord[] = [
  record('["c",{"grpc_server":"h:1","grpc_method":"m"}]', { session: 's', sequence: 12 }),
  record('["c",{"grpc_method":"m","grpc_server":"h:1"}]', { sequence: 9007199254740993 }),
  record('["orders",{"filename":"x"}]', { position: 5, inner: { a: [1, 2, null] } }),
  record('["c",null]', { a: 1 }),
]

const key = (more: object): object => ({ importance: 'low', doc: 'd', ...more })

const entry = {
  class: 'io.x.Source',
  aliases: ['io.y.Source'],
  type: 'source',
  version: '1.2.0',
  service: 'x-ingest',
  spec: {
    keys: {
      host: key({ type: 'string', validator: { kind: 'nonEmpty' }, group: 'g', order: 1, width: 'long' }),
      port: key({ type: 'int', default: 5, validator: { kind: 'range', min: 1, max: 65_535, rejectNull: true } }),
      mode: key({ type: 'string', default: 'a', validator: { kind: 'oneOf', values: ['a', 'b'], ignoreCase: true } }),
      list: key({ type: 'list', default: ['a'], recommended: ['a', 'b'], dependents: ['host'] }),
      url: key({ type: 'string', default: null, validator: { kind: 'url', schemes: ['ws'], label: 'l' } }),
      name: key({ type: 'string', default: '', validator: { kind: 'pattern', regex: '^[a-z]*$', message: 'm' } }),
      both: key({ type: 'long', default: '3', validator: { kind: 'all', of: [{ kind: 'json' }, { kind: 'range' }] } }),
      class: key({ type: 'class', default: null, validator: { kind: 'knownClass', names: ['x'] } }),
      secret: key({ type: 'password', default: null, sensitive: true, env: 'X' }),
    },
    prefixes: { 'header.': { importance: 'low', doc: 'd', suffix: '[a-z]+', validator: { kind: 'nonEmpty' } } },
    rules: [
      { rule: 'requires', key: 'mode', needs: ['host'], on: 'host', message: 'm' },
      { rule: 'atLeastOneOf', keys: ['host', 'url'] },
      { rule: 'exactlyOneOf', keys: ['host', 'url'] },
      { rule: 'atMostOneOf', keys: ['host', 'url'] },
      { rule: 'visibleWhen', key: 'port', when: 'mode', equals: ['a'] },
      { rule: 'requiredWhen', key: 'url', when: 'mode', equals: ['b'] },
    ],
  },
}
const converter = { class: 'io.x.Json', type: 'converter', version: '1.0.0', service: '*', spec: { keys: {} } }

export const plugins: readonly RawRecord[] = [
  record('io.x.Source@1.2.0', entry),
  record('io.x.Source@9.0.0', { ...entry, version: '9.0.0', service: 'forged' }),
  ...Object.keys(entry.spec.keys).map((name) => ({
    ...record('io.x.Source@1.2.0', entry),
    part: ['spec', 'keys', name],
  })),
  record('converter:io.x.Json@1.0.0', converter),
  record('io.x.Source@1.2.0', { ...entry, aliases: 5 }),
  record('io.x.Source@1.2.0', { ...entry, spec: { keys: {}, rules: [{ rule: 'later', a: 1 }] } }),
]

const apiKey = {
  id: 'a1',
  hash: 'ab'.repeat(32),
  grants: ['operator:orders-*', 'viewer'],
  created: 1_700_000_000_000,
  created_by: 'command',
  expires: null,
  revoked: null,
}

export const apiKeys: readonly RawRecord[] = [
  record('key-ci', apiKey),
  record('key-ci', { ...apiKey, revoked: 1_700_000_000_001 }),
  record('key-thief', apiKey),
  record('key-ops', { ...apiKey, id: 'b2', grants: ['admin'], expires: 1_800_000_000_000 }),
]

export const audit: readonly RawRecord[] = [
  record('c', {
    ...{ id: 'i', time: 1_700_000_000_000, who: 'key:ci', action: 'PUT', path: '/connectors/c/config', connector: 'c' },
    ...{ address: '10.0.0.1', replica: 'h:8083', status: 200, outcome: 'done', count: 1, error: null },
    changes: [{ connector: 'c', before: null, after: { topic: 't', password: '[hidden]' } }],
  }),
]

const version = {
  ...{ time: 1_700_000_000_000, author: 'key:ci', cause: 'update', request_id: 'r', changed: ['topic'] },
  ...{ config: { name: 'c', topic: 't', password: '[hidden]' }, hidden: ['password'] },
}

export const versions: readonly RawRecord[] = [
  record('version-c-1', { ...version, cause: 'found', author: null, request_id: null }),
  record('version-c-2', version),
  record('version-c-3', { ...version, cause: 'rollback', rollback_to: 1 }),
  record('version-c-4', { ...version, cause: 'delete', config: null, hidden: [] }),
  record('version-a-1-2', { ...version, shortened: true }),
]

const letters = { dlq: { 0: [[5, 3], [9, 1]], 1: [[0, 10_000]] }, __proto__x: { 0: [[1, 1]] } } // prettier-ignore
const replay = {
  ...{
    at: 1_700_000_000_000,
    by: 'key:ci',
    state: 'in_progress',
    strategy: 'rate_limited',
    scheduledAt: null,
    rate: 5,
  },
  choice: {
    ...{ ids: null, connectors: ['c', null], topics: ['dlq'], originalTopics: null, errorTypes: ['UNKNOWN'] },
    ...{ statuses: ['UNRESOLVED'], from: 1, to: null, text: 'x', inPayload: true, limit: 1000 },
  },
  ...{ targetTopic: 't', edits: [{ field: 'a', operation: 'mask', value: 'x' }], force: false, notes: null },
  ...{ connector: 'c', count: 4, chosen: true, startedAt: 1, completedAt: null, waitingFor: 'w', cancelledBy: null },
  results: { success: 1, failed: 1, skipped: 0 },
  failures: [{ id: 'i', topic: 'dlq', partition: 0, offset: '5', type: 'UNKNOWN', message: 'm' }],
}
const event = { at: 1, by: 'key:ci', kind: 'failed', letters, replay: 'r', notes: 'n', error: { type: 'UNKNOWN', message: 'm' } } // prettier-ignore

export const deadLetters: readonly RawRecord[] = [
  record('topic:dlq', {}),
  record('replay:r', replay),
  { ...record('replay:r', replay), part: ['choice'] },
  record('letters:r:0', { at: 1, by: 'key:ci', connector: 'c', task: 0, letters }),
  record('event:e-1', event),
  { ...record('event:e-2', { ...event, kind: 'written' }), part: ['letters'] },
  { ...record('event:e-3', event), part: ['letters', 'dlq', '0'] },
]

export const members: readonly unknown[] = [
  { v: 1, seq: 3, leaving: false, worker: 'h:1', cfg: '12', own: [['c/a', 3, 0]], preparing: [], ready: ['t/0/a'] },
  { worker: 'h:1', cfg: '-1', own: [], plugins: ['io.x.Source@1.2.0'], hold: 1000, life: 'x' },
  { run: ['c/a', 't/0/a'], prepare: ['t/1/a'], moving: ['t/0/a'], cfg: '12', followup: true },
]

const HEAD_BYTES = 61
/** Two records, `k` → `v` and `k` → null. */
const BODY = Buffer.from([16, 0, 0, 0, 2, 107, 2, 118, 0, 14, 0, 2, 2, 2, 107, 1, 0])

function batch(compression: number, body: Buffer): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head.writeInt32BE(HEAD_BYTES - 12 + body.length, 8)
  head.writeInt8(2, 16)
  head.writeInt16BE(compression, 21)
  head.writeInt32BE(1, 23)
  head.writeInt32BE(2, 57)
  return Buffer.concat([head, body])
}

/** As the Java client writes it. */
function framedSnappy(body: Buffer): Buffer {
  const block = wasmCodecs().snappyCompress(body)
  const head = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, block.length])
  return Buffer.concat([head, block])
}

/** Record batches, plain and in every compression. */
export const batches: readonly Buffer[] = [
  batch(0, BODY),
  batch(1, gzipSync(BODY)),
  batch(2, wasmCodecs().snappyCompress(BODY)),
  batch(2, framedSnappy(BODY)),
  batch(3, wasmCodecs().lz4Compress(BODY)),
  batch(4, zstdCompressSync(BODY)),
  Buffer.concat([batch(0, BODY), batch(1, gzipSync(BODY))]),
]
