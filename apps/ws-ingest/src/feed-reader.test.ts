import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Clock,
  createTaskStats,
  MemoryBudget,
  parseConfig,
  type Props,
  recordsOf,
  type TaskContext,
} from '@tributary/connect-api'
import { RateLimitedLog, TaskMetricsLog } from '@tributary/push-source'
import { silentLog } from '@tributary/telemetry/testing'
import { websocketSpec } from './config/config.ts'
import { Denials } from './connection/denials.ts'
import type { Dialer } from './connection/dialer.ts'
import { compileProtocol } from './connection/feed-protocol.ts'
import { wsErrors } from './errors.ts'
import { FeedReader } from './feed-reader.ts'
import { messageDecoder } from './message/message.ts'
import { oneMessage } from './message/received-messages.ts'
import { createRecordSource } from './record/record-source.ts'
import type { ConnectionListener, WebSocketConnection } from './transport/connection.ts'

interface TestReader {
  readonly reader: FeedReader
  /** What the server of the present connection does. */
  readonly server: () => ConnectionListener
}

/** The initialization waits for a reply. */
const AWAITING = { 'websocket.subscription.1.message': 'subscribe', 'websocket.subscription.1.ack.match': '/^ok$/' }

/** A reader whose connections are the test's. `now`: its clock, in ms since the epoch. */
function testReader(settings: Props, now: () => number = () => 0): TestReader {
  const props = {
    'websocket.url': 'ws://feed.test',
    'kafka.topic': 't',
    'websocket.ping.interval.ms': '0',
    ...settings,
  }
  const config = parseConfig(websocketSpec, props)
  const stats = createTaskStats()
  const memory = new MemoryBudget(Infinity).share()
  const clock: Clock = { now, monotonic: () => 0, sleep: () => Promise.resolve() }
  const context = { connector: 'c', task: 0, config: props, offset: () => null, log: silentLog, stats, memory, clock, dataDir: '/none' } as TaskContext // prettier-ignore
  const sessionId = 'the-session'
  const busyLog = new RateLimitedLog(silentLog, clock)
  const protocol = compileProtocol(config, props)
  let server: ConnectionListener
  const socket: WebSocketConnection = { responseCode: 101, subprotocol: '', send() {}, ping() {}, pause() {}, resume() {}, close() {}, terminate() {} } // prettier-ignore
  const dialer: Pick<Dialer, 'open'> = {
    open: (_valueOf, listener) => {
      server = listener
      return Promise.resolve(socket)
    },
  }
  const reader = new FeedReader({
    context,
    config,
    dialer: dialer as Dialer,
    denials: new Denials(config),
    protocol,
    values: { clock, sessionId, signer: protocol.signer },
    decode: messageDecoder(config),
    log: silentLog,
    busyLog,
    records: createRecordSource({ context, config, sessionId, lastSequence: 0, busyLog }),
    metrics: new TaskMetricsLog(silentLog, clock, stats, sessionId),
  })
  return { reader, server: () => server }
}

/** Begins to connect. `connected` resolves or rejects as `connect` does. */
async function connecting(reader: FeedReader) {
  const stopping = new AbortController()
  const connected = reader.connect(stopping.signal)
  await new Promise(setImmediate)
  return { stopping, connected }
}

test('a stop delivers the messages received before the initialization was complete', async (t) => {
  const { reader, server } = testReader(AWAITING)
  t.after(() => reader.close())
  const { stopping, connected } = await connecting(reader)
  server().onMessages(oneMessage(Buffer.from('a'), false, true))
  server().onMessages(oneMessage(Buffer.from('b'), false, true))
  stopping.abort(new Error('stopping'))
  reader.drain()
  await connected
  const signal = new AbortController().signal
  assert.deepEqual(
    (await reader.read(0, signal))?.flatMap(recordsOf).map(({ value }) => value),
    ['a', 'b'],
  )
  assert.equal(await reader.read(0, signal), null)
})

test('connect rejects when it is aborted before the first message', async (t) => {
  const { reader } = testReader(AWAITING)
  t.after(() => reader.close())
  const { stopping, connected } = await connecting(reader)
  stopping.abort(new Error('stopping'))
  reader.drain()
  await assert.rejects(connected, /stopping/)
})

test('an aborted connection that delivered messages keeps its number; the next connection gets the next one', async (t) => {
  const { reader, server } = testReader({ ...AWAITING, 'record.headers': 'connection' })
  t.after(() => reader.close())
  const { stopping: paused, connected: first } = await connecting(reader)
  server().onMessages(oneMessage(Buffer.from('a'), false, true))
  paused.abort(new Error('paused'))
  await assert.rejects(first, /paused/)
  const { stopping, connected: second } = await connecting(reader)
  server().onMessages(oneMessage(Buffer.from('ok'), false, true))
  server().onMessages(oneMessage(Buffer.from('b'), false, true))
  await second
  assert.deepEqual(
    (await reader.read(0, stopping.signal))
      ?.flatMap(recordsOf)
      .map(({ value, headers }) => [value, headers?.[0]?.value]),
    [
      ['a', 1],
      ['b', 2],
    ],
  )
})

test('hands over when its connection ended, not when its last records were delivered', async (t) => {
  let now = 1000
  const { reader, server } = testReader({}, () => now)
  t.after(() => reader.close())
  const { signal } = new AbortController()
  await reader.connect(signal)
  server().onMessages(oneMessage(Buffer.from('a'), false, true))
  reader.drain()
  now = 1250
  server().onEnd({ code: 1000, reason: '', error: wsErrors.WEBSOCKET_CLOSED('closed') })
  now = 9000
  while ((await reader.read(0, signal)) !== null);
  assert.equal((JSON.parse(reader.handOver()) as { endedAt: number }).endedAt, 1250)
})

test('hands over when a stop ended a connection that was not initialized', async (t) => {
  let now = 1000
  const { reader, server } = testReader(AWAITING, () => now)
  t.after(() => reader.close())
  const { stopping, connected } = await connecting(reader)
  server().onMessages(oneMessage(Buffer.from('a'), false, true))
  stopping.abort(new Error('stopping'))
  reader.drain()
  await connected
  now = 9000
  assert.equal((JSON.parse(reader.handOver()) as { endedAt: number }).endedAt, 1000)
})
