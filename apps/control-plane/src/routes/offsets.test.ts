import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { fakeWorker, type FakeWorker } from '../testing/fake-worker.ts'
import { type Answer, type TestApi, testApi } from '../testing/test-api.ts'

const config = { 'connector.class': 'FileStreamSource', topic: 't', name: 'a' }
const PATH = '/connectors/a/offsets'
const entry = (filename: string, position: number | bigint): object => ({
  partition: { filename },
  offset: { position },
})
const message = (answer: Answer): string => (answer.body as { message: string }).message

/** A stopped connector with one offset. */
async function stopped(): Promise<TestApi> {
  const api = testApi()
  await api.call('PUT', '/connectors/a/config', config)
  await api.call('PUT', '/connectors/a/stop')
  await api.offsets.write('a', [{ partition: { filename: 'one', disk: 1 }, offset: { position: 5 } }])
  return api
}

/** A live worker that has the given tasks of the connector, and checks offsets as given. */
async function liveWorker(
  t: TestContext,
  api: TestApi,
  says: { tasks?: () => object[]; check?: object | null },
): Promise<FakeWorker> {
  const { tasks = () => [], check = { errors: [] } } = says
  const worker = await fakeWorker(t, (path) => (path.endsWith('/health') ? { tasks: tasks() } : check))
  api.groups.set('test-file-ingest', [worker.address])
  return worker
}

test('alter merges by partition, ignoring the order of fields, and replaces whole offsets', async () => {
  const api = await stopped()
  const body = `{"offsets":[
    {"partition":{"disk":1,"filename":"one"},"offset":{"at":9007199254740993,"x":null}},
    {"partition":{"filename":"two"},"offset":{"position":1.5}},
    {"partition":null,"offset":{"ignored":true}},
    {"partition":{"filename":"never"},"offset":null},
    {"partition":{"filename":"neither"}}]}`
  const answer = await api.call('PATCH', PATH, body)
  assert.deepEqual(answer.body, {
    message:
      'The Connect framework-managed offsets for this connector have been altered successfully. However, if this connector manages offsets externally, they will need to be manually altered in the system that the connector uses.',
  })
  assert.equal(answer.status, 200)
  assert.deepEqual(api.offsets.offsets('a'), [
    { partition: { disk: 1, filename: 'one' }, offset: { at: 9007199254740993n, x: null } },
    { partition: { filename: 'two' }, offset: { position: 1.5 } },
  ])
  const removed = await api.call('PATCH', PATH, {
    offsets: [{ partition: { filename: 'one', disk: 1 }, offset: null }],
  })
  assert.equal(removed.status, 200)
  assert.deepEqual((await api.call('GET', PATH)).body, { offsets: [entry('two', 1.5)] })
})

test('reset removes all offsets, and succeeds when there are none', async () => {
  const api = await stopped()
  for (let time = 1; time <= 2; time++) {
    const answer = await api.call('DELETE', PATH, '', { 'content-type': 'application/json' })
    assert.equal(answer.status, 200)
    assert.match(message(answer), /^The Connect framework-managed offsets .* have been reset successfully\. However/)
    assert.deepEqual((await api.call('GET', PATH)).body, { offsets: [] })
  }
})

test('offsets can be changed only while the connector is STOPPED', async () => {
  const api = await stopped()
  for (const state of ['pause', 'resume']) {
    await api.call('PUT', `/connectors/a/${state}`)
    for (const method of ['PATCH', 'DELETE']) {
      const answer = await api.call(method, PATH, method === 'PATCH' ? { offsets: [entry('one', 1)] } : undefined)
      assert.deepEqual(answer.body, {
        error_code: 400,
        message:
          "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the specified connector by issuing a 'PUT' request to the '/connectors/a/stop' endpoint",
      })
    }
  }
  assert.equal(api.offsets.offsets('a').length, 1)
})

test('an invalid alter is answered with 400; an empty list even for a missing connector', async () => {
  const api = await stopped()
  const none = 'Partitions / offsets need to be provided for an alter offsets request'
  const nested = 'Offsets may only contain primitive types as values, but field p contains'
  const cases: [unknown, string | RegExp][] = [
    [{ offsets: [] }, none],
    [{}, none],
    [{ offsets: null }, none],
    [undefined, /^The body must be a JSON object, not empty$/],
    ['{"offsets":', /^The body is not JSON/],
    [{ offsets: {} }, 'The field "offsets" must be a JSON array'],
    [{ offsets: [entry('one', 1)], x: 1 }, 'Unrecognized field "x"; known are offsets'],
    [{ offsets: [{ partition: {}, offset: {}, x: 1 }] }, 'Unrecognized field "x"; known are partition, offset'],
    [{ offsets: [null] }, /must be a JSON object, not empty$/],
    [{ offsets: [{ partition: 'one', offset: null }] }, /^The field "partition" must be a JSON object/],
    [{ offsets: [{ partition: { p: {} }, offset: null }] }, `${nested} MAP`],
    [{ offsets: [{ partition: {}, offset: { p: [1] } }] }, `${nested} ARRAY`],
    ['{"offsets":[{"partition":{},"offset":{"p":9223372036854775808}}]}', /64 bits, but field p is beyond$/],
  ]
  for (const [body, text] of cases) {
    const answer = await api.call('PATCH', PATH, body)
    assert.equal(answer.status, 400, JSON.stringify(body))
    if (typeof text === 'string') assert.equal(message(answer), text)
    else assert.match(message(answer), text)
  }
  assert.equal((await api.call('PATCH', '/connectors/none/offsets', { offsets: [] })).status, 400)
  const missing = { error_code: 404, message: 'Connector none not found' }
  assert.deepEqual((await api.call('PATCH', '/connectors/none/offsets', { offsets: [entry('x', 1)] })).body, missing)
  assert.deepEqual((await api.call('DELETE', '/connectors/none/offsets')).body, missing)
  assert.equal(api.offsets.offsets('a').length, 1)
})

test('a live worker checks the values, with the plugin and its configuration; removals are not checked', async (t) => {
  const api = await stopped()
  const worker = await liveWorker(t, api, { check: { errors: [{ field: '', message: 'no such position' }] } })
  const answer = await api.call(
    'PATCH',
    PATH,
    `{"offsets":[
    {"partition":{"filename":"one"},"offset":{"position":9007199254740993}},
    {"partition":{"filename":"two"},"offset":null}]}`,
  )
  assert.deepEqual(answer.body, { error_code: 400, message: 'no such position' })
  assert.equal(api.offsets.offsets('a').length, 1)
  const check = worker.asked.find(({ request }) => request.startsWith('PUT'))
  assert.partialDeepStrictEqual(check, {
    request: 'PUT /internal/plugins/org.apache.kafka.connect.file.FileStreamSourceConnector/offsets/check',
    body: `{"config":${JSON.stringify(config)},"offsets":[{"partition":{"filename":"one"},"offset":{"position":9007199254740993}}]}`,
  })
})

test('the answer trusts a plugin that keeps no offsets outside the offsets topic; the alter fails when workers cannot check', async (t) => {
  const api = await stopped()
  await liveWorker(t, api, { check: { errors: [], complete: true } })
  const altered = await api.call('PATCH', PATH, { offsets: [entry('two', 1)] })
  assert.equal(message(altered), 'The offsets for this connector have been altered successfully')
  await liveWorker(t, api, { check: null })
  const refused = await api.call('PATCH', PATH, { offsets: [entry('three', 1)] })
  assert.equal(refused.status, 500)
  assert.match(message(refused), /^No worker of the service file-ingest could judge the offsets/)
  assert.equal(api.offsets.offsets('a').length, 2)
})

test('a change waits until no worker has a task, then fences every task', async (t) => {
  const api = await stopped()
  await api.configs.putTaskConfigs('a', [{}, {}])
  const ending = [{ task: 1 }]
  const worker = await liveWorker(t, api, { tasks: () => ending })
  const altered = api.call('PATCH', PATH, { offsets: [entry('two', 1)] })
  await api.configs.putTaskConfigs('a', [])
  api.configs.knownTasks.set('a', [0, 1, 4])
  while (worker.asked.length < 3) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.deepEqual([api.fenced, api.offsets.offsets('a').length], [[], 1])
  ending.pop()
  assert.equal((await altered).status, 200)
  assert.deepEqual(api.fenced, ['test-file-ingest-a-0', 'test-file-ingest-a-1', 'test-file-ingest-a-4'])
  assert.equal(api.offsets.offsets('a').length, 2)
})

test('a connector that is resumed while its tasks end keeps its offsets', async (t) => {
  const api = await stopped()
  const ending = [{ task: 0 }]
  const worker = await liveWorker(t, api, { tasks: () => ending })
  const reset = api.call('DELETE', PATH)
  while (worker.asked.length < 1) await new Promise((resolve) => setTimeout(resolve, 10))
  await api.call('PUT', '/connectors/a/resume')
  ending.pop()
  assert.match(message(await reset), /^Connectors must be in the STOPPED state/)
  assert.equal(api.offsets.offsets('a').length, 1)
})
