import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { sleep } from '@tributary/async'
import type { ReplayRequest } from '@tributary/connect-api'
import { MemoryAuditLog } from '../testing/memory-audit.ts'
import { fakeWorker } from '../testing/fake-worker.ts'
import { GRANTS_ACCESS } from '../testing/grants-access.ts'
import { type Answer, FILE_SOURCE, testApi, type TestApi } from '../testing/test-api.ts'

const config = { 'connector.class': FILE_SOURCE.class, topic: 'lines', 'errors.deadletterqueue.topic.name': 'dlq' }

/** The fields of all answers. */
interface Body {
  readonly records: readonly { readonly dlq_id: string; readonly record?: object }[]
  readonly pagination: { readonly has_more: boolean }
  readonly value: { readonly json: unknown }
  readonly headers: readonly { readonly value: unknown }[]
  readonly history: readonly { readonly kind: string; readonly notes: string; readonly by: string }[]
  readonly details: { readonly resolved_ids?: readonly string[] }
  readonly replay_id: string
  readonly dlq_ids_count: number
  readonly total: number
  readonly [field: string]: unknown
}
const body = ({ body }: Answer): Body => body as Body
const ids = (answer: Answer): string[] => body(answer).records.map(({ dlq_id }) => dlq_id)

function leading(t: TestContext, options: Parameters<typeof testApi>[0] = {}): TestApi {
  const leads = new AbortController()
  t.after(() => leads.abort())
  return testApi({ ...options, leads: leads.signal })
}

/** A worker that has the tasks of the connector, and writes whatever it is sent. */
async function running(t: TestContext, api: TestApi, connector: string, headers = {}): Promise<ReplayRequest[]> {
  const worker = await fakeWorker(t, () => ({ outcomes: [] }))
  api.groups.set('test-file-ingest', [worker.address])
  await api.call('POST', '/connectors', { name: connector, config }, headers)
  const status = { state: 'RUNNING', workerId: worker.address, generation: 1 } as const
  await api.status.putConnector(connector, status)
  await api.status.putTask(connector, 0, status)
  const requests: ReplayRequest[] = []
  worker.answers((path, text) => {
    if (!path.endsWith('/replay')) return { errors: [] }
    const request = JSON.parse(text) as ReplayRequest
    requests.push(request)
    const record = { topic: 'lines', partition: null, key: null, value: { text: 'x' }, headers: [], timestamp: 1 }
    const outcome = request.dryRun ? { outcome: 'would-write', record } : { outcome: 'written', topic: 'lines', partition: 0, offset: '1' } // prettier-ignore
    return { outcomes: request.letters.map(() => outcome) }
  })
  return requests
}

async function ended(api: TestApi, id: string, headers = {}): Promise<Body> {
  for (;;) {
    const replay = body(await api.call('GET', `/dlq/replay/${id}`, undefined, headers))
    if (replay['completed_at'] !== null) return replay
    await sleep(2)
  }
}

test('records are listed the newest first, filtered and in pages, and counted', async () => {
  const { call, index } = testApi()
  const rows = [index.add(), index.add({ errorType: 'SCHEMA_MISMATCH' }), index.add({ connector: 'b' })].reverse()
  const all = await call('GET', '/dlq/records')
  assert.deepEqual([ids(all), body(all)['total_count'], body(all)['limit']], [rows.map(({ id }) => id), 3, 50])
  const first = await call('GET', '/dlq/records?limit=2')
  assert.deepEqual(body(first).pagination, { next_offset: 2, has_more: true, next_cursor: '2' })
  for (const page of ['offset=2', 'cursor=2']) {
    const last = await call('GET', `/dlq/records?limit=2&${page}`)
    assert.deepEqual([ids(last), body(last).pagination.has_more], [[rows[2]!.id], false])
  }
  const found = async (query: string) => ids(await call('GET', `/dlq/records?${query}`)).length
  assert.equal(await found('error_type=schema_mismatch'), 1)
  assert.equal(await found('resolution_status=PENDING'), 3)
  assert.equal(await found('status=RESOLVED,DISCARDED'), 0)
  assert.equal(await found('connector=b'), 1)
  const { status, body: stats } = await call('GET', '/dlq/stats')
  assert.equal(status, 200)
  assert.deepEqual((stats as Body)['by_connector'], { a: 2, b: 1 })
  for (const wrong of [
    'error_type=x',
    'status=x',
    'limit=0',
    'limit=1001',
    'offset=-1',
    'start_date=yesterday',
    'cursor=%00',
  ]) {
    assert.equal((await call('GET', `/dlq/records?${wrong}`)).status, 400, wrong)
  }
})

test('a letter is shown with its bytes, and with what was done about it', async () => {
  const { call, index, records } = testApi()
  const { id } = index.add()
  assert.equal((await call('GET', `/dlq/records/${id}`)).status, 404)
  records.set('dlq/0/0', {
    ...{ partition: 0, offset: 0n, timestamp: 1, key: Buffer.from('k'), value: Buffer.from('{"a":1}') },
    headers: [
      [Buffer.from('h'), Buffer.from([0, 0, 0, 0, 7, 255])],
      [Buffer.from('__connect.errors.exception.stacktrace'), Buffer.from('at x')],
    ],
  })
  await call('POST', '/dlq/annotate', { dlq_ids: [id], notes: 'seen' })
  const letter = body(await call('GET', `/dlq/records/${id.toUpperCase()}`))
  assert.deepEqual(letter['key'], { size: 1, format: 'text', text: 'k', base64: 'aw==' })
  assert.deepEqual(letter.value.json, { a: 1 })
  assert.deepEqual(letter.headers[0]!.value, { size: 6, format: 'schema', schema_id: 7, base64: 'AAAAAAf/' }) // prettier-ignore
  assert.equal(letter['stack_trace'], 'at x')
  const [event] = letter.history
  assert.deepEqual([event!.kind, event!.notes, event!.by], ['annotated', 'seen', 'anonymous'])
  assert.equal((await call('GET', '/dlq/records/unknown')).status, 404)
})

test('a replay by filter or by ids is begun with 202, and says how far it is', async (t) => {
  const api = leading(t)
  const requests = await running(t, api, 'a')
  const rows = [api.index.add(), api.index.add(), api.index.add({ errorType: 'SCHEMA_MISMATCH' })]
  const started = await api.call('POST', '/dlq/replay', { error_type: 'POISON_PILL', limit: 1000 })
  assert.equal(started.status, 202)
  const { replay_id: id, dlq_ids_count: count } = body(started)
  assert.equal(started.headers['location'], `http://rest:8083/dlq/replay/${id}`)
  assert.equal(count, 2)
  const replay = await ended(api, id)
  assert.deepEqual([replay['status'], replay['results']], ['completed', { success: 2, failed: 0, skipped: 0 }])
  assert.deepEqual(replay['progress'], { processed: 2, remaining: 0, percent_complete: 100 })
  assert.deepEqual(requests[0]!.letters.map(({ offset }) => offset), ['0', '1']) // prettier-ignore
  const done = await api.call('POST', '/dlq/replay', { dlq_ids: [rows[0]!.id], resolution_notes: 'n', retry_strategy: 'immediate' }) // prettier-ignore
  assert.equal(done.status, 409)
  const named = await api.call('POST', '/api/v1/dlq/replay', { dlq_ids: [rows[0]!.id] })
  assert.equal(body(named)['error'], 'ALREADY_RESOLVED')
  assert.deepEqual(body(named).details.resolved_ids, [rows[0]!.id])
  const unknown = body(await api.call('POST', '/api/v1/dlq/replay', { dlq_ids: [rows[0]!.id, 'x'] }))
  assert.deepEqual(unknown.details, { invalid_ids: ['x'], valid_ids: [rows[0]!.id] })
  const again = await api.call('POST', '/dlq/replay', { ids: [rows[2]!.id], retry_strategy: 'batch' })
  assert.equal((await ended(api, body(again).replay_id))['status'], 'completed')
  const list = body(await api.call('GET', '/dlq/replay'))
  assert.equal(list.total, 2)
  const resolved = body(await api.call('GET', '/dlq/records?status=RESOLVED'))
  assert.equal(resolved.total, 3)
})

test('a dry run shows what would be written, and takes nothing', async (t) => {
  const api = leading(t)
  const requests = await running(t, api, 'a')
  api.index.add()
  api.index.add({ failedReplays: 3 })
  const edits = [{ field: 'price', operation: 'cast', value: 'double' }]
  const tried = await api.call('POST', '/dlq/replay', { connector: 'a', dry_run: true, transform_rules: edits })
  assert.equal(tried.status, 200)
  assert.deepEqual(body(tried)['results'], { would_write: 1, quarantined: 1 })
  assert.deepEqual([requests[0]!.dryRun, requests[0]!.edits], [true, edits])
  assert.equal(body(await api.call('GET', '/dlq/records?status=UNRESOLVED')).total, 2)
  assert.equal(body(await api.call('GET', '/dlq/replay')).total, 0)
})

test('a body that is wrong is refused before anything happens', async () => {
  const { call, index, letters } = testApi({ internalTopic: (topic) => (topic === 'inner' ? 'it is internal' : null) })
  const { id } = index.add()
  const refused: unknown[] = [
    ...[
      undefined,
      {},
      [],
      { limit: 5 },
      { connectr: 'a' },
      { dlq_ids: [] },
      { dlq_ids: ['unknown'] },
      { dlq_ids: 'x' },
    ],
    ...[
      { dlq_ids: [id], topic: 'dlq' },
      { status: 'LOST' },
      { connector: 'a', limit: 0 },
      { connector: 'a', limit: 1e7 },
    ],
    ...[
      { connector: 'a', retry_strategy: 'later' },
      { connector: 'a', retry_strategy: 'scheduled' },
    ],
    ...[
      { connector: 'a', scheduled_time: '2031-01-01', retry_strategy: 'immediate' },
      { connector: 'a', rate: -1 },
    ],
    ...[
      { connector: 'a', target_topic: 'a b' },
      { connector: 'a', target_topic: 'inner' },
      { connector: 'a', force: 'x' },
    ],
    ...[
      { connector: 'a', edits: [{ field: 'a', operation: 'drop' }] },
      { connector: 'a', edits: [{ operation: 'mask' }] },
    ],
    ...[{ connector: { a: 1 } }, { start_date: 'soon' }, { connector: 'a', notes: 'x'.repeat(1001) }],
  ]
  for (const wrong of refused) {
    const { status } = await call('POST', '/dlq/replay', wrong)
    assert.equal(status, 400, JSON.stringify(wrong))
  }
  index.state = { ...index.state, ready: false }
  assert.equal((await call('POST', '/dlq/replay', { dlq_ids: ['unknown'] })).status, 503)
  assert.equal(letters.writes, 0)
  assert.equal((await call('GET', '/dlq/replay/none')).status, 404)
  assert.equal((await call('DELETE', '/dlq/replay/none')).status, 404)
})

test('letters are discarded, annotated and opened again, by filter or by ids', async (t) => {
  const api = leading(t)
  const rows = [api.index.add(), api.index.add(), api.index.add({ status: 'IN_PROGRESS' })]
  const post = (path: string, sent: object) => api.call('POST', path, sent)
  assert.equal(body(await post('/dlq/discard', { connector: 'a', notes: 'never mind' }))['count'], 2)
  assert.deepEqual(rows.map(({ id }) => api.index.row(id).status), ['DISCARDED', 'DISCARDED', 'IN_PROGRESS']) // prettier-ignore
  assert.equal(body(await post('/dlq/reopen', { ids: [rows[0]!.id] }))['count'], 1)
  assert.equal(api.index.row(rows[0]!.id).status, 'UNRESOLVED')
  assert.equal(body(await post('/dlq/annotate', { connector: 'a', notes: 'n', limit: 2 }))['count'], 2)
  assert.equal((await post('/dlq/discard', {})).status, 400)
})

test('a replay is cancelled once', async (t) => {
  const api = leading(t)
  api.index.add()
  const started = await api.call('POST', '/dlq/replay', { connector: 'a', scheduled_time: Date.now() + 3_600_000 })
  const { replay_id: id, status } = body(started)
  assert.equal(status, 'scheduled')
  const cancelled = await api.call('POST', `/dlq/replay/${id}/cancel`)
  assert.deepEqual(
    [cancelled.status, body(cancelled)['status'], body(cancelled)['cancelled_by']],
    [200, 'cancelled', 'anonymous'],
  )
  assert.equal((await api.call('DELETE', `/dlq/replay/${id}`)).status, 409)
})

test('a caller sees, reads and replays the letters of the connectors of its grants alone', async (t) => {
  const api = leading(t, { access: GRANTS_ACCESS })
  const as = (grants: string) => ({ 'x-grants': grants })
  await running(t, api, 'a', as('admin'))
  const [a, b, none] = [api.index.add(), api.index.add({ connector: 'b' }), api.index.add({ connector: null })]
  const listed = async (grants: string) => ids(await api.call('GET', '/dlq/records', undefined, as(grants))).sort()
  assert.deepEqual(await listed('viewer:a'), [a.id])
  assert.deepEqual(await listed('viewer:b, operator:a'), [a.id, b.id].sort())
  assert.deepEqual(await listed('viewer'), [a.id, b.id, none.id].sort())
  const read = async (id: string, grants: string) => (await api.call('GET', `/dlq/records/${id}`, undefined, as(grants))).status // prettier-ignore
  assert.deepEqual([await read(a.id, 'operator'), await read(a.id, 'admin:a'), await read(b.id, 'admin:a'), await read(b.id, 'viewer, admin:a')], [403, 404, 404, 403]) // prettier-ignore
  const replay = async (sent: object, grants: string) => api.call('POST', '/dlq/replay', sent, as(grants))
  assert.equal((await replay({ connector: 'a' }, 'viewer')).status, 403)
  assert.equal((await replay({ dlq_ids: [b.id] }, 'operator:a')).status, 400)
  assert.equal((await replay({ dlq_ids: [b.id] }, 'operator:a, viewer')).status, 403)
  assert.equal((await replay({ connector: 'b' }, 'operator:a, viewer')).status, 403)
  const edits = [{ field: 'x', operation: 'mask' }]
  assert.equal((await replay({ dlq_ids: [a.id], edits }, 'operator:a')).status, 403)
  assert.equal((await replay({ dlq_ids: [a.id], target_topic: 't' }, 'operator:a')).status, 403)
  const dry = body(await replay({ connector: 'a', dry_run: true }, 'operator:a'))
  assert.equal('record' in dry.records[0]!, false)
  const mine = await replay({ status: 'UNRESOLVED' }, 'operator:a, viewer')
  assert.equal(body(mine).dlq_ids_count, 1)
  const { replay_id: id } = body(mine)
  assert.equal((await ended(api, id, as('viewer:a')))['status'], 'completed')
  assert.equal((await api.call('GET', `/dlq/replay/${id}`, undefined, as('viewer:b'))).status, 404)
  assert.equal(body(await api.call('GET', '/dlq/replay', undefined, as('viewer:b'))).total, 0)
  assert.equal(body(await api.call('POST', '/dlq/discard', { status: 'UNRESOLVED' }, as('operator:b')))['count'], 1)
})

test('who replayed which letters stands in the audit log, and in the history of the letter without one', async (t) => {
  const audit = new MemoryAuditLog()
  const api = leading(t, { access: GRANTS_ACCESS, audit: { log: audit, required: true } })
  await running(t, api, 'a', { 'x-grants': 'admin' })
  const { id } = api.index.add()
  const started = await api.call('POST', '/dlq/replay', { error_type: 'POISON_PILL' }, { 'x-grants': 'operator' })
  const { replay_id: replay } = body(started)
  await ended(api, replay, { 'x-grants': 'operator' })
  const entry = audit.entries.find(({ action }) => action === 'POST /dlq/replay')!
  assert.match(
    entry.about!,
    new RegExp(`by errorTypes POISON_PILL, at most 1000; immediate: replay ${replay} of 1 letters`),
  )
  assert.equal(entry.outcome, 'done')
  const [event] = [...api.letters.snapshot.events()]
  assert.deepEqual([event!.kind, event!.by, api.index.row(id).resolvedBy], ['written', entry.who, entry.who])
})
