import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import type { OutgoingHttpHeaders } from 'node:http'
import { test, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import {
  createTaskStats,
  MemoryBudget,
  END_OF_INPUT,
  type Props,
  type SourceOffset,
  type SourceRecord,
  type SourceTask,
} from '@tributary/connect-api'
import { sseSource } from '../src/plugin.ts'
import { SseServer } from './sse-server.ts'

const never = new AbortController().signal
const silent = { name: 'sse', trace() {}, debug() {}, info() {}, warn() {}, error() {}, child: () => silent }
const clock = { now: Date.now, monotonic: () => performance.now(), sleep: () => Promise.resolve() }

interface Failure {
  readonly code?: string
  readonly kind?: string
  readonly message?: string
  readonly retryAfterMs?: number
}

interface Scene {
  readonly server: SseServer
  readonly task: SourceTask
  /** The next `count` records. */
  records(count: number): Promise<SourceRecord[]>
  /** The error that ends the polls. */
  failure(): Promise<Failure>
}

async function scene(t: TestContext, props: Props = {}, committed: SourceOffset | null = null): Promise<Scene> {
  const server = await SseServer.start()
  const task = sseSource.createTask()
  t.after(async () => {
    await task.stop()
    await server.stop()
  })
  await task.start({
    connector: 'c',
    task: 0,
    config: { 'sse.url': server.url, 'kafka.topic': 'events', ...props },
    offset: () => committed,
    log: silent,
    stats: createTaskStats(),
    memory: new MemoryBudget(Infinity).share(),
    clock,
    dataDir: '/nonexistent',
  })
  const poll = async (): Promise<SourceRecord[]> => {
    const answer = await task.poll(never)
    assert.notEqual(answer, END_OF_INPUT)
    return answer as SourceRecord[]
  }
  return {
    server,
    task,
    records: async (count) => {
      const all: SourceRecord[] = []
      while (all.length < count) all.push(...(await poll()))
      return all
    },
    failure: async () => {
      try {
        for (;;) await poll()
      } catch (error) {
        return error as Failure
      }
    },
  }
}

const connectError = (task: SourceTask): Promise<Failure> =>
  task.connect(never).then(
    () => ({}),
    (error: unknown) => error as object,
  )

/** Answers each request with these lines as the stream, and keeps the connection open. */
function streams(server: SseServer, text: string | Buffer, headers: OutgoingHttpHeaders = {}): void {
  server.refuse = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream', ...headers }).write(text)
    return true
  }
}

function answers(server: SseServer, status: number, headers: OutgoingHttpHeaders = {}): void {
  server.refuse = (_, response) => {
    response.writeHead(status, headers).end()
    return true
  }
}

test('an event becomes a record: data, id and name, the topic of its name, the offset of its id', async (t) => {
  const { server, task, records } = await scene(t, { 'sse.event.topic.trade': 'trades' })
  await task.connect(never)
  server.sendRaw('data: one\ndata: two\n', 'event: trade\ndata: {"p":1}\n', ': a comment\nevent: other\ndata\n')
  const [lines, trade, other] = await records(3)
  assert.deepEqual([lines?.value, lines?.topic, lines?.sourceOffset], ['one\ntwo', 'events', { last_event_id: '1' }])
  assert.deepEqual([trade?.value, trade?.topic], ['{"p":1}', 'trades'])
  assert.deepEqual(trade?.headers, [
    { name: 'sse.id', value: '2' },
    { name: 'sse.event', value: 'trade' },
  ])
  assert.deepEqual([other?.value, other?.topic], ['', 'events'])
})

test('a new run goes on after the committed id, a new connection after the last one received', async (t) => {
  const { server, task, records, failure } = await scene(t, {}, { last_event_id: '2' })
  server.send('a', 'b', 'c')
  await task.connect(never)
  assert.equal(server.lastHeaders['last-event-id'], '2')
  assert.equal((await records(1))[0]?.value, 'c')
  server.cut()
  assert.equal((await failure()).code, 'SSE_ENDED')
  server.send('d')
  await task.connect(never)
  assert.equal(server.lastHeaders['last-event-id'], '3')
  assert.equal((await records(1))[0]?.value, 'd')
})

test('the delay of retry: comes with the end of the stream, behind the last event', async (t) => {
  const { server, task, records, failure } = await scene(t)
  await task.connect(never)
  server.sendRaw('retry: 1234\ndata: last\n')
  await records(1)
  server.cut()
  assert.deepEqual(((error) => [error.code, error.kind, error.retryAfterMs])(await failure()), ['SSE_ENDED', 'retriable', 1234]) // prettier-ignore
})

test('a refusal is told apart: later, with the wait that was asked for; never, after the third; never, after 204', async (t) => {
  const { server, task } = await scene(t, { 'sse.auth.token': 'secret' })
  let status = 503
  server.refuse = (_, response) => {
    response.writeHead(status, { 'retry-after': '7' }).end()
    return true
  }
  assert.deepEqual(((e) => [e.code, e.retryAfterMs])(await connectError(task)), ['HTTP_STATUS', 7000])
  status = 401
  const codes = [await connectError(task), await connectError(task), await connectError(task)].map(({ code }) => code)
  assert.deepEqual(codes, ['HTTP_STATUS', 'HTTP_STATUS', 'HTTP_DENIED'])
  assert.equal(server.lastHeaders.authorization, 'Bearer secret')
  status = 204
  assert.equal((await connectError(task)).code, 'HTTP_NO_CONTENT')
})

test('a redirect is followed, and credentials stay with the configured host', async (t) => {
  const { server, task, records } = await scene(t, { 'sse.auth.token': 'secret' }, { last_event_id: '0' })
  const other = await SseServer.start()
  t.after(() => other.stop())
  server.refuse = (_, response) => {
    response.writeHead(307, { location: other.url }).end()
    return true
  }
  other.send('moved')
  await task.connect(never)
  assert.equal((await records(1))[0]?.value, 'moved')
  assert.equal(other.lastHeaders.authorization, undefined)
  assert.equal(other.lastHeaders['last-event-id'], '0')
})

test('a server that redirects in a circle, or again and again, is told so', async (t) => {
  const { server, task } = await scene(t)
  let path = '/events'
  server.refuse = (_, response) => {
    response.writeHead(307, { location: `${server.url.replace(/\/[^/]*$/, '')}${path}` }).end()
    path += path.endsWith('s') ? '' : '0'
    return true
  }
  assert.match((await connectError(task)).message ?? '', /307.*the server redirects in a circle: http:\S+ → http/)
  path = '/0'
  assert.match((await connectError(task)).message ?? '', /307.*the server redirects more than 5 times: http:\S+ → http/)
})

test('what would be lost fails the task: an event without an id where ids are required, an event too large', async (t) => {
  const { server, task, records, failure } = await scene(t, {
    'sse.require.ids': 'true',
    'sse.max.event.bytes': '1000',
  })
  server.send('the event with id 1')
  server.refuse = (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write('id: 1\ndata: a\n\ndata: without\n\nid: 3\ndata: c\n\n')
    return true
  }
  await task.connect(never)
  assert.equal((await records(1))[0]?.value, 'a')
  assert.deepEqual(((e) => [e.code, e.kind])(await failure()), ['SSE_EVENT_ID', 'config'], 'nothing behind it is taken')
  server.refuse = () => false
  await task.connect(never)
  server.send('x'.repeat(5000))
  assert.equal((await failure()).code, 'SSE_EVENT_TOO_LARGE')
})

test('a mute stream is opened again, but not while the task itself makes the server wait', async (t) => {
  const { server, task, failure } = await scene(t, { 'sse.idle.timeout.ms': '200' })
  await task.connect(never)
  server.send('a')
  assert.equal((await failure()).code, 'SSE_ENDED')
})

test('a name that every object inherits is a name like any other', async (t) => {
  const { server, task, records } = await scene(t, { 'sse.event.topic.trade': 'trades' })
  await task.connect(never)
  const names = ['constructor', 'toString', '__proto__']
  server.sendRaw(...names.map((name) => `event: ${name}\ndata: a\n`))
  assert.deepEqual(
    (await records(3)).map(({ topic }) => topic),
    ['events', 'events', 'events'],
  )
})

test('sse.require.ids refuses an empty id, and one that the next request could not carry', async (t) => {
  for (const id of ['', 'a\x01b', '\x7f']) {
    const { server, task, records, failure } = await scene(t, { 'sse.require.ids': 'true' })
    streams(server, `id: 1\ndata: a\n\nid: ${id}\ndata: b\n\n`)
    await task.connect(never)
    assert.equal((await records(1)).length, 1)
    assert.equal((await failure()).code, 'SSE_EVENT_ID')
  }
})

test('an id that no header can carry leaves the id before it in force, so the server sends again and nothing is lost', async (t) => {
  const { server, task, records, failure } = await scene(t)
  streams(server, 'id: é1\ndata: a\n\nid: a\x01b\ndata: b\n\n')
  await task.connect(never)
  assert.deepEqual((await records(2)).map(({ sourceOffset }) => sourceOffset), [{ last_event_id: 'é1' }, { last_event_id: 'é1' }]) // prettier-ignore
  server.closeAll()
  await failure()
  await task.connect(never)
  assert.equal(server.lastHeaders['last-event-id'], Buffer.from('é1').toString('latin1'))
})

test('the source partition has the URL as the user wrote it, so that it shows no secret and survives a rotation', () => {
  const props = { 'sse.url': 'http://a/?t=secret', 'kafka.topic': 't' }
  const written = { ...props, 'sse.url': 'http://a/?t=${env:TOKEN}' }
  const store = (url: string): unknown =>
    sseSource.connector.checkOffsets!(props, [{ partition: { sse_url: url }, offset: { last_event_id: '7' } }], written)
  store(written['sse.url'])
  assert.throws(
    () => store(props['sse.url']),
    (error: Error) => !error.message.includes('secret'),
  )
})

test('a committed id that no header can carry is told, and cannot be stored', async (t) => {
  await assert.rejects(scene(t, {}, { last_event_id: 'a\x01b' }), { code: 'SSE_OFFSET', kind: 'config' })
  const props = { 'sse.url': 'http://a/', 'kafka.topic': 't' }
  const store = (id: string): unknown =>
    sseSource.connector.checkOffsets!(props, [{ partition: { sse_url: 'http://a/' }, offset: { last_event_id: id } }])
  assert.throws(() => store('a\nb'), { code: 'SSE_OFFSET' })
  store('77')
})

test('an event too large fails the task also when the stream was paused before', async (t) => {
  const { server, task, failure } = await scene(t, { 'sse.message.queue.size': '1', 'sse.max.event.bytes': '3000' })
  await task.connect(never)
  server.send('a', 'b')
  await delay(50)
  for (let i = 0; i < 9; i++) {
    server.push('data: '.padEnd(90_000, 'x'))
    await delay(5)
  }
  assert.equal((await failure()).code, 'SSE_EVENT_TOO_LARGE')
})

test('sse.max.event.bytes counts the bytes of the data', async (t) => {
  const { server, task, records, failure } = await scene(t, { 'sse.max.event.bytes': '1000' })
  await task.connect(never)
  server.send('x'.repeat(1000), 'é'.repeat(500))
  assert.equal((await records(2)).length, 2)
  server.send('é'.repeat(501))
  assert.equal((await failure()).code, 'SSE_EVENT_TOO_LARGE')
})

test('a compressed stream is not asked for, and refused', async (t) => {
  const { server, task } = await scene(t)
  streams(server, gzipSync('data: a\n\n'), { 'content-encoding': 'gzip' })
  const { code, message } = await connectError(task)
  assert.deepEqual([code, /content-encoding gzip/.test(message ?? '')], ['HTTP_STATUS', true])
  assert.equal(server.lastHeaders['accept-encoding'], 'identity')
})

test('the media type is compared whole and in any case', async (t) => {
  const { server, task } = await scene(t)
  streams(server, '', { 'content-type': 'Text/Event-Stream; charset=UTF-8' })
  await task.connect(never)
  streams(server, '', { 'content-type': 'text/event-streaming' })
  assert.equal((await connectError(task)).code, 'HTTP_STATUS')
})

test('user and password belong into sse.auth.basic.*, as the URL is the source partition', () => {
  const props = { 'sse.url': 'http://u:secret@a/', 'kafka.topic': 't' }
  assert.throws(
    () => sseSource.metricLabels!(props),
    ({ kind, message = '' }: Failure) =>
      kind === 'config' && /sse\.auth\.basic/.test(message) && !/secret/.test(message),
  )
})

test('validation refuses headers that the source sets, and bad topics', async () => {
  const base = { 'sse.url': 'http://a/', 'kafka.topic': 't' }
  for (const name of ['Last-Event-ID', 'accept', 'Accept-Encoding', 'cache-control', 'Content-Length', 'connection']) {
    for (const props of [{ [`sse.header.${name}`]: '0' }, { 'sse.headers': `${name}:0` }]) {
      const [field] = Object.keys(props)
      await assert.rejects(async () => sseSource.connector.validate!({ ...base, ...props }, never), { code: 'REQUEST_HEADER', field }) // prettier-ignore
    }
  }
  assert.throws(() => sseSource.metricLabels!({ ...base, 'sse.event.topic.a': 'bad topic!' }), /sse\.event\.topic\.a: Topic name/) // prettier-ignore
})

test('an id without data is remembered, as by a browser', async (t) => {
  const { server, task, records, failure } = await scene(t)
  streams(server, 'id: 1\ndata: a\n\nid: 9\n\n')
  await task.connect(never)
  assert.deepEqual((await records(1))[0]?.sourceOffset, { last_event_id: '1' })
  server.closeAll()
  await failure()
  await task.connect(never)
  assert.equal(server.lastHeaders['last-event-id'], '9')
})

test('retry: holds for each try until the server changes it', async (t) => {
  const { server, task, failure } = await scene(t)
  streams(server, 'retry: 60000\n\n')
  await task.connect(never)
  server.closeAll()
  assert.equal((await failure()).retryAfterMs, 60_000)
  answers(server, 500)
  assert.equal((await connectError(task)).retryAfterMs, 60_000)
  answers(server, 503, { 'retry-after': '90' })
  assert.equal((await connectError(task)).retryAfterMs, 90_000)
  server.refuse = (request) => request.destroy().destroyed
  assert.deepEqual(((e) => [e.code, e.retryAfterMs])(await connectError(task)), ['HTTP_CONNECT', 60_000])
})

test('refusals count in a row only: a failure between them begins a new row', async (t) => {
  const { server, task } = await scene(t)
  const codes: unknown[] = []
  for (const status of [401, 401, 503, 401, 401, 401]) {
    answers(server, status)
    codes.push((await connectError(task)).code)
  }
  assert.deepEqual(codes, [...Array.from({ length: 5 }, () => 'HTTP_STATUS'), 'HTTP_DENIED'])
})

test('an error names the host that answered, and what it answered', async (t) => {
  const { server, task } = await scene(t)
  const other = await SseServer.start()
  t.after(() => other.stop())
  answers(server, 307, { location: other.url })
  answers(other, 204)
  const { host } = new URL(other.url)
  assert.match((await connectError(task)).message ?? '', new RegExp(`^${host} answered 204, which`))
})

test(
  'TCP asks a server that is silent whether it is still there',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const { server, task } = await scene(t)
    await task.connect(never)
    const hex = Number(new URL(server.url).port).toString(16).toUpperCase().padStart(4, '0')
    // Columns of proc_net_tcp(5): number, local address, remote address, state, queues, timer. 02: the keep-alive timer.
    const ours = readFileSync('/proc/net/tcp', 'utf8').split('\n').map((line) => line.trim().split(/\s+/)).filter(([, , remote, state]) => remote?.endsWith(`:${hex}`) && state === '01') // prettier-ignore
    assert.deepEqual(
      ours.map((columns) => columns[5]?.slice(0, 2)),
      ['02'],
    )
  },
)
