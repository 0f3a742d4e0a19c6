import assert from 'node:assert/strict'
import { test } from 'node:test'
import { COUNTERS } from './counters.ts'
import { Scene } from './scene.ts'
import { until } from '../../support/until.ts'

async function ready(worker: string): Promise<string> {
  await until('the worker is ready', () =>
    fetch(`http://${worker}/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  )
  return worker
}

async function ask(worker: string, path: string, body: string): Promise<{ status: number; answer: unknown }> {
  const headers = { 'content-type': 'application/json' }
  const response = await fetch(`http://${worker}${path}`, { method: 'PUT', headers, body })
  return { status: response.status, answer: await response.json() }
}

test('a worker with exactly.once.source.support=disabled refuses exactly once, and fails a task that requires it nevertheless', async (t) => {
  const scene = await Scene.create(t)
  const worker = await ready(await scene.start({ env: { TRIBUTARY_EXACTLY_ONCE_SOURCE_SUPPORT: 'disabled' } }))
  const config = { name: 'counters', 'connector.class': COUNTERS, topic: 't', logs: '1', since: '0' }
  const required = JSON.stringify({ ...config, 'exactly.once.support': 'required' })
  const path = `/internal/plugins/${COUNTERS}/validate`
  const message = 'This worker does not have exactly-once source support enabled.'
  assert.deepEqual((await ask(worker, path, required)).answer, {
    errors: [{ field: 'exactly.once.support', message }],
  })
  assert.deepEqual((await ask(worker, path, JSON.stringify(config))).answer, { errors: [] })
  await scene.create({})
  const trace = await until('the task fails', () => scene.stores.status.task('counters', 0)?.trace)
  assert.ok(trace.split('\n')[0]?.includes(message), trace)
})

test('the plugin’s code checks offsets, and gets integers above 2^53 exactly', async (t) => {
  const scene = await Scene.create(t)
  const worker = await ready(await scene.start())
  const check = async (offsets: string): Promise<unknown> => {
    const body = `{"config":{"name":"counters","connector.class":"${COUNTERS}","logs":"2"},"offsets":${offsets}}`
    const { answer } = await ask(worker, `/internal/plugins/${COUNTERS}/offsets/check`, body)
    return (answer as { errors: unknown }).errors
  }
  const fine = '[{"partition":{"log":1},"offset":{"number":5}},{"partition":{"log":0},"offset":null}]'
  assert.deepEqual(await check(fine), [])
  assert.deepEqual(await check('[{"partition":{"log":1},"offset":{"number":9007199254740993}}]'), [
    { field: '', message: 'log 1 has no number 9007199254740993' },
  ])
  assert.deepEqual(await check('[{"partition":{"log":2},"offset":{"number":1}}]'), [
    { field: 'logs', message: 'there is no log 2' },
  ])
  assert.equal((await ask(worker, '/internal/plugins/none/offsets/check', '{}')).status, 404)
  assert.equal((await ask(worker, `/internal/plugins/${COUNTERS}/offsets/check`, '{')).status, 400)
})
