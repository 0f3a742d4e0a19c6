import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
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

interface Scene {
  readonly server: SseServer
  readonly task: SourceTask
  /** The next `count` records. */
  records(count: number): Promise<SourceRecord[]>
  /** The error that ends the polls. */
  failure(): Promise<{ code?: string; kind?: string; retryAfterMs?: number }>
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
        return error as Awaited<ReturnType<Scene['failure']>>
      }
    },
  }
}

const connectError = (task: SourceTask): Promise<{ code?: string; retryAfterMs?: number }> =>
  task.connect(never).then(
    () => ({}),
    (error: unknown) => error as object,
  )

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
  assert.deepEqual(((e) => [e.code, e.retryAfterMs])(await connectError(task)), ['SSE_STATUS', 7000])
  status = 401
  const codes = [await connectError(task), await connectError(task), await connectError(task)].map(({ code }) => code)
  assert.deepEqual(codes, ['SSE_STATUS', 'SSE_STATUS', 'SSE_DENIED'])
  assert.equal(server.lastHeaders.authorization, 'Bearer secret')
  status = 204
  assert.equal((await connectError(task)).code, 'SSE_NO_CONTENT')
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
