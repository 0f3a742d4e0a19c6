import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fakeWorker } from '../testing/fake-worker.ts'
import { GRANTS_ACCESS } from '../testing/grants-access.ts'
import { MemoryAuditLog } from '../testing/memory-audit.ts'
import { type Answer, FILE_SOURCE, type TestApi, testApi, type TestApiOptions } from '../testing/test-api.ts'

const PREVIEW = {
  ...{ class: FILE_SOURCE.class, task: 0, tasks: 1, offsets: 'none', ended: 'time', reason: 'x', source: null },
  ...{ caution: null, notes: [], topics: [], records: [] },
}
const config = { topic: 'lines' }

async function scene(t: TestContext, outcome: unknown, options: TestApiOptions = {}) {
  const api = testApi(options)
  const worker = await fakeWorker(t, (path) => (path.endsWith('/preview') ? outcome : { errors: [] }))
  api.groups.set('test-file-ingest', [worker.address])
  const asked = (): unknown[] =>
    worker.asked.filter(({ request }) => request.endsWith('/preview')).map(({ body }) => JSON.parse(body) as unknown)
  return { api, asked }
}

const preview = (api: TestApi, query = '', body: unknown = config, headers = {}): Promise<Answer> =>
  api.call('POST', `/connector-plugins/FileStreamSource/preview${query}`, body, headers)
const textOf = ({ body }: Answer): string => (body as { message: string }).message

test('a worker is asked with the terms of the query, and its answer is passed on', async (t) => {
  const { api, asked } = await scene(t, { preview: PREVIEW })
  const answer = await preview(api, '?records=7&seconds=2&task=3&force=true')
  assert.deepEqual([answer.status, answer.body], [200, PREVIEW])
  const named = { ...config, 'connector.class': FILE_SOURCE.class, name: 'preview' }
  assert.deepEqual(asked(), [{ connector: null, config: named, task: 3, records: 7, seconds: 2, force: true }])

  await api.call('POST', '/connectors', { name: 'a', config: { ...named, name: 'a' } })
  const stored = { connector: 'a', config: { ...named, name: 'a' }, task: 0, records: 10, seconds: 5, force: false }
  for (const body of [undefined, {}]) {
    assert.equal((await api.call('POST', '/connectors/a/preview', body)).status, 200)
    assert.deepEqual(asked().at(-1), stored)
  }
  const next = { ...named, name: 'a', topic: 'other' }
  assert.equal((await api.call('POST', '/connectors/a/preview', { ...next, name: 'b' })).status, 400)
  assert.equal((await api.call('POST', '/connectors/a/preview', next)).status, 200)
  assert.deepEqual(asked().at(-1), { ...stored, config: next })
})

test('fields of records that look like secrets are hidden in what a worker shows', async (t) => {
  const data = (value: unknown) => ({ schema: null, value })
  const seen = (password: unknown) => {
    return { topic: 'lines', partition: null, key: data(null), value: data({ password }), headers: [], timestamp: null }
  }
  const bytes = (password: string) => {
    return { ...seen(''), key: null, value: { text: JSON.stringify({ password }), size: 20 } }
  }
  const source = { partition: {}, offset: {} }
  const step = { alias: 'a', class: 'A', outcome: 'changed', record: seen('x') }
  const record = { outcome: 'written', source, polled: seen('x'), transforms: [step], written: bytes('x') }
  const { api } = await scene(t, { preview: { ...PREVIEW, records: [{ ...record, dead_letter: bytes('x') }] } })
  const { body } = await preview(api)
  const [shown] = (body as { records: (typeof record & { dead_letter: unknown })[] }).records
  const hidden = { ...seen(''), value: { ...data({ password: '[hidden]' }), redacted: true } }
  const written = { ...bytes(''), value: { text: '{"password":"[hidden]"}', size: 20, redacted: true } }
  assert.deepEqual(
    [shown?.polled, shown?.transforms[0]?.record, shown?.written, shown?.dead_letter],
    [hidden, hidden, written, written],
  )
})

test('mistakes are answered before a worker is asked', async (t) => {
  const { api, asked } = await scene(t, { preview: PREVIEW })
  const cases: [Promise<Answer>, number, RegExp][] = [
    [preview(api, '?records=0'), 400, /"records" must be a whole number from 1 to 100, not 0/],
    [preview(api, '?seconds=1.5'), 400, /"seconds"/],
    [preview(api, '', {}), 400, /topic/],
    [preview(api, '', { ...config, 'connector.class': 'org.Other' }), 400, /does not match request type/],
    [preview(api, '', [1]), 400, /must be a JSON object/],
    [api.call('POST', '/connector-plugins/Gone/preview', config), 404, /Unknown plugin Gone/],
    [api.call('POST', '/connectors/gone/preview', config), 404, /gone/],
  ]
  for (const [asking, status, text] of cases) {
    const answer = await asking
    assert.equal(answer.status, status, textOf(answer))
    assert.match(textOf(answer), text)
  }
  assert.deepEqual(asked(), [])
})

test('what a worker could not do has a status of its own', async (t) => {
  const cases: [unknown, number, RegExp][] = [
    [{ failed: 'busy', message: 'too many' }, 429, /too many/],
    [{ failed: 'unreached', message: 'refused' }, 502, /The source cannot be read: refused/],
    [{ failed: 'slow', message: 'late' }, 504, /late/],
    [{ failed: 'bug', message: 'oh' }, 500, /oh/],
    [{ errors: [{ field: 'topic', message: 'no topic' }] }, 400, /no topic/],
    [null, 503, /No worker of the service file-ingest answers/],
  ]
  for (const [outcome, status, text] of cases) {
    const answer = await preview((await scene(t, outcome)).api)
    assert.equal(answer.status, status)
    assert.match(textOf(answer), text)
  }
  assert.equal((await preview(testApi())).status, 503)
})

test('a conflict names the connectors that the caller may view, and counts the others', async (t) => {
  const disturbs = { connectors: ['a-1', 'b-1'], why: 'it takes messages' }
  const { api } = await scene(t, { disturbs }, { access: GRANTS_ACCESS })
  const answer = await preview(api, '', { ...config, name: 'a-2' }, { 'x-grants': 'admin:a-*' })
  assert.equal(answer.status, 409)
  assert.match(textOf(answer), /could disturb a-1, 1 connectors that you may not see, .*it takes messages.*force=true/)
})

test('a configuration without a name takes no secret of a connector that is called preview', async (t) => {
  const { api, asked } = await scene(t, { preview: PREVIEW }, { access: GRANTS_ACCESS })
  const stored = { ...config, 'connector.class': FILE_SOURCE.class, 'feed.password': 's3cr3t', name: 'preview' }
  const made = await api.call(
    'POST',
    '/connectors',
    { name: 'preview', config: stored },
    { 'x-grants': 'admin:preview' },
  )
  assert.equal(made.status, 201, textOf(made))
  const sent = { ...config, 'feed.password': '[hidden]' }
  const answer = await preview(api, '', sent, { 'x-grants': 'admin:team-*' })
  assert.deepEqual([answer.status, asked()], [400, []])
  assert.match(textOf(answer), /none is stored/)
})

test('four previews are under way at a time', async (t) => {
  const api = testApi()
  const held = createServer().listen(0, '127.0.0.1')
  await once(held, 'listening')
  t.after(() => held.close())
  held.on('connection', (socket) => {
    t.after(() => socket.destroy())
    socket.on('error', () => undefined)
  })
  api.groups.set('test-file-ingest', [`127.0.0.1:${(held.address() as AddressInfo).port}`])
  const answers = Array.from({ length: 5 }, () => preview(api))
  const first = await Promise.race(answers)
  assert.deepEqual([first.status, textOf(first)], [429, '4 previews are under way already. Try again in some seconds'])
  void Promise.allSettled(answers)
})

test('a worker that ends is named, and after two ends by one configuration none is asked again', async (t) => {
  const api = testApi()
  const dying = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (data) => {
      if (data.includes('/preview')) return socket.destroy()
      socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 13\r\n\r\n{"errors":[]}')
    })
  }).listen(0, '127.0.0.1')
  await once(dying, 'listening')
  t.after(() => dying.close())
  api.groups.set('test-file-ingest', [`127.0.0.1:${(dying.address() as AddressInfo).port}`])
  const texts: string[] = []
  for (let i = 0; i < 4; i++) {
    const answer = await preview(api)
    assert.equal(answer.status, 502)
    texts.push(textOf(answer))
  }
  assert.match(texts[0]!, /^The worker 127\.0\.0\.1:\d+ ended while it made the preview/)
  assert.match(texts[3]!, /^Workers ended 2 times while they made a preview/)
})

test('an operator may not preview, and each preview is recorded', async (t) => {
  const log = new MemoryAuditLog()
  const { api } = await scene(t, { preview: PREVIEW }, { access: GRANTS_ACCESS, audit: { log, required: true } })
  const named = { ...config, name: 'a' }
  assert.equal((await preview(api, '', named, { 'x-grants': 'operator+configs' })).status, 403)
  assert.equal((await preview(api, '', named, { 'x-grants': 'admin:b' })).status, 403)
  assert.equal((await preview(api, '?records=2&force=true', named, { 'x-grants': 'admin:a' })).status, 200)
  // Refusals are recorded beside the answer.
  while (log.entries.length < 2) await sleep(5)
  const done = log.entries.find(({ outcome }) => outcome === 'done')
  assert.deepEqual(
    [done?.action, done?.connector, done?.about, done?.changes],
    ['POST /connector-plugins/{plugin}/preview', 'a', 'task 0, 2 records, 5 s, forced', []],
  )
})
