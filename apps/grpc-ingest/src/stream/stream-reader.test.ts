import assert from 'node:assert/strict'
import { beforeEach, describe, test, type TestContext } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { systemClock } from '@tributary/async'
import {
  createTaskStats,
  MemoryBudget,
  NotConnectedError,
  type Polled,
  type Props,
  recordsOf,
  type SourceRecord,
  type TaskContext,
} from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import { encodeRequest } from '../schema/index.ts'
import { BASE } from '../config/testing.ts'
import { schemaOf } from '../schema/testing/schemas.ts'
import { type CallListener, joinSmall, localStatus, type MessageRun, runOf } from '../transport/index.ts'
import type { GrpcConnection } from './connection.ts'
import { createStreamReader } from './create-stream-reader.ts'
import type { StreamReader } from './stream-reader.ts'

const FEED = `syntax = "proto3"; package f; import "google/protobuf/any.proto";
  message Event { google.protobuf.Any any = 1; int32 n = 2; }
  service Feed { rpc Watch(Event) returns (stream Event); }`
const schema = schemaOf(FEED)
const known = schemaOf(`${FEED} message Trade { int32 n = 1; }`)
const message = (json: string): Buffer => Buffer.from(encodeRequest(known.messages.get('f.Event')!, json))
const UNKNOWN = message('{"any":{"@type":"x/f.Trade","n":5}}')
const PLAIN = [1, 2, 3].map((n) => message(`{"n":${n}}`))
const runOfAll = (messages: Buffer[]): MessageRun => joinSmall(messages.map(runOf))[0]!
const never = new AbortController().signal

interface Rig {
  readonly reader: StreamReader
  readonly server: CallListener
  /** Connections that were asked for in vain: for types. */
  readonly asked: () => number
}

/** A reader with an open stream of a server that takes one connection only. */
async function connected(t: TestContext, props: Props, offer?: TaskContext['offer']): Promise<Rig> {
  const log = { info() {}, warn() {}, error() {}, child: () => log } as unknown as Logger
  const calls: CallListener[] = []
  const connection = {
    call: (_request: unknown, listener: CallListener) => {
      calls.push(listener)
      listener.onHeaders({})
      return { pause() {}, resume() {}, send() {}, finish() {}, abandon() {} }
    },
    close: () => {},
    reflect: () => Promise.resolve(schema),
    tooManyPings: false,
    onEnding: () => {},
  } as unknown as GrpcConnection
  const context = {
    connector: 'c',
    task: 0,
    config: { ...BASE, ...props },
    offset: () => null,
    log,
    stats: createTaskStats(),
    memory: new MemoryBudget(Infinity).share(),
    clock: systemClock,
    dataDir: '',
    offer,
  } as TaskContext
  let asked = 0
  const reader = await createStreamReader(context, () => {
    if (calls.length > 0) asked++
    if (calls.length > 0) return Promise.reject(new NotConnectedError('GRPC_CONNECT', 'away'))
    return Promise.resolve(connection)
  })
  t.after(() => reader.close())
  await reader.connect(never)
  return { reader, server: calls[0]!, asked: () => asked }
}

async function readToEnd(reader: StreamReader): Promise<SourceRecord[]> {
  const all: SourceRecord[] = []
  for (;;) {
    const records = await reader.read(0, never)
    if (records === null) return all
    all.push(...records.flatMap(recordsOf))
  }
}

describe('a reader that is stopped', () => {
  test('returns records that wait for a type, and the queue behind them, while the server is away', async (t) => {
    const { reader, server } = await connected(t, { 'max.poll.records': '2' })
    server.onMessages(runOfAll([UNKNOWN, ...PLAIN]))
    server.onEnd(localStatus('UNAVAILABLE', 'gone'))
    assert.deepEqual([await reader.read(0, never), await reader.read(0, never)], [[], []])
    reader.drain()
    const records = await readToEnd(reader)
    assert.deepEqual(
      records.map(({ value, error }) => error?.code ?? value),
      ['PROTOBUF_JSON', '{"n":1}', '{"n":2}', '{"n":3}'],
    )
    assert.deepEqual(records[0]!.original, UNKNOWN)
  })

  test('remembers the end of a completed stream that the queue still held', async (t) => {
    const { reader, server } = await connected(t, { 'grpc.on.completion': 'stop' })
    server.onMessages(runOfAll(PLAIN))
    server.onEnd(localStatus('OK', ''))
    assert.equal((await reader.read(0, never))?.flatMap(recordsOf).length, 3)
    reader.drain()
    assert.deepEqual(await readToEnd(reader), [])
    assert.match(String(reader.position()?.offset?.['completed']), /^[0-9a-f]{16}$/)
  })

  test('does not take the end that its own stop brought for a completion', async (t) => {
    const { reader, server } = await connected(t, { 'grpc.on.completion': 'stop' })
    server.onMessages(runOfAll(PLAIN))
    reader.drain()
    server.onEnd(localStatus('CANCELLED', 'cancelled by us'))
    assert.equal((await readToEnd(reader)).length, 3)
    assert.equal(reader.position(), null)
  })
})

describe('a reader that waits for messages', () => {
  /** The messages come while it lasts. */
  const WAIT_MS = 20
  /** A runtime that passes everything on at once. */
  const passed: SourceRecord[] = []
  const offer = (take: () => Polled[]): boolean => {
    passed.push(...take().flatMap(recordsOf))
    return true
  }
  const values = (records: readonly SourceRecord[]): unknown[] =>
    records.map(({ value, error }) => error?.code ?? value)
  beforeEach(() => void passed.splice(0))

  test('offers them with the offsets that they would have had, and goes on waiting', async (t) => {
    const { reader, server } = await connected(t, {}, offer)
    const reading = reader.read(WAIT_MS, never)
    for (const one of PLAIN) server.onMessages(runOf(one))
    assert.deepEqual(values(passed), ['{"n":1}', '{"n":2}', '{"n":3}'])
    server.onEnd(localStatus('UNAVAILABLE', 'gone'))
    await assert.rejects(reading, NotConnectedError)
    assert.deepEqual(
      passed.map(({ sourceOffset }) => sourceOffset['sequence']),
      [1, 2, 3],
    )
  })

  test('returns those that need a type, and those behind them, in order and before the end of the stream', async (t) => {
    const { reader, server } = await connected(t, { 'grpc.on.completion': 'fail' }, offer)
    const reading = reader.read(WAIT_MS, never)
    server.onMessages(runOf(PLAIN[0]!))
    server.onMessages(runOf(UNKNOWN))
    server.onMessages(runOf(PLAIN[1]!))
    server.onEnd(localStatus('OK', ''))
    assert.deepEqual([await reading, reader.position()], [[], null], 'the server cannot be asked')
    assert.match(reader.caution()!, /^2 record/)
    reader.drain()
    assert.deepEqual(values(passed), ['{"n":1}'])
    assert.deepEqual(values((await reader.read(0, never))!.flatMap(recordsOf)), ['PROTOBUF_JSON', '{"n":2}'])
  })

  test('returns the records held since its wait began although the stream has ended, and throws the end after them', async (t) => {
    const { reader, server } = await connected(t, {}, offer)
    const reading = reader.read(WAIT_MS, never)
    server.onMessages(runOf(UNKNOWN))
    server.onEnd(localStatus('UNAVAILABLE', 'gone'))
    assert.deepEqual(await reading, [])
    reader.drain()
    assert.deepEqual(values((await reader.read(0, never))!.flatMap(recordsOf)), ['PROTOBUF_JSON'])
    assert.deepEqual(passed, [])
  })

  test('asks for a type at once, however long the wait', async (t) => {
    const { reader, server, asked } = await connected(t, {}, offer)
    const stopping = new AbortController()
    const reading = reader.read(60_000, stopping.signal)
    server.onMessages(runOf(UNKNOWN))
    for (let turns = 0; asked() === 0 && turns < 100; turns++) await nextTurn()
    assert.ok(asked() > 0)
    stopping.abort(new Error('stopping'))
    await assert.rejects(reading, /stopping/)
  })

  test('returns the records held since its wait began although it is stopped', async (t) => {
    const { reader, server } = await connected(t, {}, offer)
    const reading = reader.read(WAIT_MS, never)
    server.onMessages(runOf(UNKNOWN))
    reader.drain()
    assert.deepEqual(values((await reading)!.flatMap(recordsOf)), ['PROTOBUF_JSON'])
    assert.equal(await reader.read(0, never), null)
  })

  test('returns them where a resume field shows their place', async (t) => {
    const { reader, server } = await connected(t, { 'grpc.resume.field': 'n' }, offer)
    const reading = reader.read(WAIT_MS, never)
    server.onMessages(runOf(PLAIN[0]!))
    assert.deepEqual(values((await reading)!.flatMap(recordsOf)), ['{"n":1}'])
    assert.deepEqual(passed, [])
  })
})
