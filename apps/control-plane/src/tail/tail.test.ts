import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectorViews } from '../services/connector-views.ts'
import { MemoryConfigStore, MemoryPluginStore, MemoryStatusStore } from '../testing/memory-stores.ts'
import { FILE_SOURCE, testApi } from '../testing/test-api.ts'
import type { TailTerms } from './tail-session.ts'
import { Tails } from './tails.ts'

interface Event {
  readonly event: string
  readonly data: Record<string, unknown>
}

interface Scene {
  readonly tails: Tails
  readonly configs: MemoryConfigStore
  /** The open streams by worker. A line goes to the tail. */
  readonly workers: Map<string, Readable>
  /** Workers that answer with an error. */
  readonly silent: Set<string>
  /** The paths that were asked for. */
  readonly asked: string[]
  say(worker: string, ...lines: unknown[]): void
  /** Opens a tail, and collects its events. */
  tail(terms?: Partial<TailTerms>): {
    readonly events: Event[]
    of(event: string): Event['data'][]
    readonly stream: Readable
  }
}

async function scene(t: TestContext, members: readonly string[] = ['a:1']): Promise<Scene> {
  const [configs, status] = [new MemoryConfigStore(), new MemoryStatusStore()]
  await configs.putConnectorConfig('c', { 'connector.class': FILE_SOURCE.class }, 'STARTED')
  const views = new ConnectorViews({ config: configs, status, plugins: new MemoryPluginStore([FILE_SOURCE]) })
  const open = new Map<string, Readable>()
  const silent = new Set<string>()
  const asked: string[] = []
  const workers = {
    of: () => Promise.resolve(members),
    open: (worker: string, path: string, signal: AbortSignal) => {
      if (silent.has(worker)) return Promise.reject(new Error(`the worker ${worker} answers with 429`))
      asked.push(path)
      const stream = new Readable({ read() {} })
      open.set(worker, stream)
      signal.addEventListener('abort', () => stream.destroy(signal.reason as Error))
      return Promise.resolve(stream as unknown as IncomingMessage)
    },
  }
  const tails = new Tails({ views, workers })
  t.after(() => tails.close())
  return {
    ...{ tails, configs, workers: open, silent, asked },
    say: (worker, ...lines) => void open.get(worker)!.push(lines.map((line) => `${JSON.stringify(line)}\n`).join('')),
    tail: (terms = {}) => {
      const all = { connector: 'c', rate: 100, topic: null, records: null, seconds: 60, show: (one: object) => one }
      const stream = tails.open({ ...all, ...terms }, 'somebody')
      const events: Event[] = []
      stream.setEncoding('utf8').on('data', (text: string) => {
        for (const [, event, data] of text.matchAll(/event: (\w+)\ndata: (.*)\n\n/g))
          events.push({ event: event!, data: JSON.parse(data!) as Event['data'] })
      })
      stream.on('error', () => {})
      return { events, of: (event) => events.flatMap((one) => (one.event === event ? [one.data] : [])), stream }
    },
  }
}

async function until(what: string, holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 5) {
    if (waited > 10_000) assert.fail(`in vain: ${what}`)
    await sleep(5)
  }
}

const record = (n: number): object => ({ record: { topic: 't', partition: 0, offset: n, source: {} } })

test('records of all workers come with their worker; of what several bring no more than the rate is shown', async (t) => {
  const { workers, say, tail, asked } = await scene(t, ['a:1', 'b:2'])
  const { of } = tail({ rate: 10, topic: 'a&b' })
  await until('both are asked', () => workers.size === 2)
  assert.deepEqual(new Set(asked), new Set(['/internal/connectors/c/tail?rate=10&topic=a%26b']))
  say('a:1', { task: 0, run: 'started' }, ...Array.from({ length: 8 }, (_, i) => record(i)), { seen: 50 })
  say('b:2', ...Array.from({ length: 8 }, (_, i) => record(i)), { seen: 8 })
  await until('a second is over', () => of('sampled').length > 0)
  assert.deepEqual([of('record').length, of('sampled')[0]], [10, { seen: 58, shown: 10 }])
  assert.deepEqual(new Set(of('record').map(({ worker }) => worker)), new Set(['a:1', 'b:2']))
  assert.deepEqual(of('task'), [{ worker: 'a:1', task: 0, run: 'started' }])
})

test('a worker that goes is asked again, and one that refuses is named', async (t) => {
  const { workers, say, tail, silent } = await scene(t)
  silent.add('a:1')
  const { of } = tail()
  await until('it is named', () => of('worker').length > 0)
  assert.match(String(of('worker')[0]!['message']), /^the worker a:1 answers with 429\. Its records are not shown/)
  silent.clear()
  await until('it is asked', () => workers.has('a:1'))
  workers.get('a:1')!.push(null)
  workers.delete('a:1')
  await until('it is asked again', () => workers.has('a:1'))
  say('a:1', record(1))
  await until('its record is shown', () => of('record').length === 1)
})

test('a tail ends after its records, and when the connector is deleted or the process stops; nothing goes on then', async (t) => {
  const { workers, say, tail, configs, tails } = await scene(t)
  const first = tail({ records: 2 })
  await until('the worker is asked', () => workers.has('a:1'))
  const stream = workers.get('a:1')!
  say('a:1', record(1), record(2), record(3))
  await until('it ends', () => first.stream.closed)
  assert.deepEqual(
    first.events.map(({ event }) => event),
    ['status', 'record', 'record', 'end'],
  )
  assert.deepEqual(
    [first.of('end')[0]!['reason'], first.of('end')[0]!['records'], stream.destroyed],
    ['records', 2, true],
  )
  const [second, third] = [tail(), tail()]
  tails.close()
  await until('it ends', () => second.stream.closed && third.stream.closed)
  assert.equal(second.of('end')[0]!['reason'], 'shutdown')
  const fourth = tail()
  await configs.removeConnector('c')
  await until('it ends', () => fourth.stream.closed)
  assert.equal(fourth.of('end')[0]!['reason'], 'deleted')
})

test('a caller has five tails, a replica twenty; one that is closed makes room', async (t) => {
  const { tails, tail } = await scene(t)
  const five = Array.from({ length: 5 }, () => tail())
  assert.throws(() => tail(), { status: 429, message: /^You look at 5 tails already/ })
  const terms = { connector: 'c', rate: 1, topic: null, records: null, seconds: 60, show: (one: object) => one }
  const others = Array.from({ length: 15 }, (_, i) => tails.open(terms, `other ${i % 3}`))
  assert.throws(() => tails.open(terms, 'new'), { status: 429, message: /^This replica shows 20 tails already/ })
  for (const { stream } of five) stream.destroy()
  for (const stream of others) stream.destroy()
  await until('there is room', () => {
    try {
      tail()
      return true
    } catch {
      return false
    }
  })
})

test('a client that does not read misses records, and is told how many', async (t) => {
  const { tails, workers, say } = await scene(t)
  const show = (one: object): object => ({ ...one, value: 'x'.repeat(100_000) })
  const stream = tails.open({ connector: 'c', rate: 1000, topic: null, records: null, seconds: 60, show }, 'slow')
  await until('the worker is asked', () => workers.has('a:1'))
  say('a:1', ...Array.from({ length: 30 }, (_, i) => record(i)), { seen: 30 })
  await until('it is full', () => stream.readableLength > 1024 * 1024)
  let read = ''
  stream.setEncoding('utf8').on('data', (text: string) => (read += text))
  await until('it is told', () => read.includes('event: dropped'))
  const shown = read.split('event: record').length - 1
  assert.match(read, new RegExp(`event: dropped\\ndata: {"records":${30 - shown},`))
  stream.destroy()
})

test('the route answers 404, 400 and 406 as others do; seconds=0 shows the status alone; HEAD opens nothing', async () => {
  const api = testApi()
  assert.equal((await api.call('GET', '/connectors/c/tail')).status, 404)
  await api.call('POST', '/connectors', { name: 'c', config: { 'connector.class': FILE_SOURCE.class, topic: 't' } })
  const { status, body } = await api.call('GET', '/connectors/c/tail?rate=1001')
  assert.deepEqual([status, (body as { message: string }).message], [400, 'The query parameter "rate" must be a whole number from 1 to 1000, not 1001']) // prettier-ignore
  const accepts = async (accept: string): Promise<number> =>
    (await api.call('GET', '/connectors/c/tail?seconds=0', undefined, { accept })).status
  assert.deepEqual(await Promise.all(['text/event-stream', 'text/*', 'application/json', 'text/html'].map(accepts)), [200, 200, 200, 406]) // prettier-ignore
  const shown = await api.call('GET', '/connectors/c/tail?seconds=0')
  assert.equal(shown.headers['content-type'], 'text/event-stream')
  assert.match(String(shown.body), /^event: status\ndata: .*No worker has taken.*\n\nevent: end\n/)
  assert.equal((await api.call('HEAD', '/connectors/c/tail')).body, undefined)
})
