import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { type Answer, send } from '../../support/rest-call.ts'
import { numbersIn } from '../../support/delivered.ts'
import { resumeOf, startNumbersServices } from '../../support/numbers-services.ts'
import { createTopic, readPartition } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()
const READY = 2000

/** A gRPC stream of numbers up to `last`, read by a connector in a grpc-ingest process of its own. */
async function flow(t: TestContext, extra: Readonly<Record<string, string>>) {
  const { source, url, configOf } = await startNumbersServices(t, brokers, 4000)
  const call = (method: string, path: string, body?: unknown): Promise<Answer> =>
    send(url, { method, path: `/connectors/c${path}`, ...(body === undefined ? {} : { body }) })
  const topic = await createTopic(brokers)
  await until('there are numbers', () => source.head >= READY)
  const last = source.end()
  assert.equal((await call('PUT', '/config', { ...configOf(topic), ...extra })).status, 201)
  const resumeAt = async (): Promise<number> => resumeOf(await call('GET', '/offsets'))
  return {
    call,
    topic,
    last,
    partition: { grpc_server: `127.0.0.1:${source.port}`, grpc_method: 'crash.Numbers/Stream' },
    resumeAt,
  }
}

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)
const message = ({ body }: Answer): string => (body as { message: string }).message

for (const [delivery, extra] of [
  ['at least once', {}],
  ['exactly once', { 'exactly.once.support': 'required' }],
] as const) {
  test(`a stream continues after the number of its altered offset, and from the start after a reset, ${delivery}`, async (t) => {
    const { call, topic, last, partition, resumeAt } = await flow(t, extra)
    const read = async (): Promise<number[]> => numbersIn(await readPartition(brokers, topic, 0, { committed: true }))
    /**
     * Resumes the connector, waits until the topic has `added` more records and the last number is committed, and stops
     * the connector. Returns the new records.
     */
    const runOn = async (before: number, added: number): Promise<number[]> => {
      await call('PUT', '/resume')
      await until(`${added} records came`, async () => (await read()).length >= before + added, 60_000)
      await until('the last number is committed', async () => (await resumeAt()) === last)
      assert.equal((await call('PUT', '/stop')).status, 204)
      return (await read()).slice(before)
    }
    assert.deepEqual(await runOn(0, last), numbers(1, last))

    // Sent at once: the change waits until the task has ended.
    const altered = await call('PATCH', '/offsets', { offsets: [{ partition, offset: { resume: 500 } }] })
    assert.equal(altered.status, 200, message(altered))
    assert.match(message(altered), /have been altered successfully/)
    assert.deepEqual((await call('GET', '/offsets')).body, { offsets: [{ partition, offset: { resume: 500 } }] })
    assert.deepEqual(await runOn(last, last - 500), numbers(501, last))

    const reset = await call('DELETE', '/offsets')
    assert.equal(reset.status, 200, message(reset))
    assert.deepEqual((await call('GET', '/offsets')).body, { offsets: [] })
    assert.deepEqual(await runOn(2 * last - 500, last), numbers(1, last))
  })
}

test('an offset from which the source cannot continue is refused with the reason', async (t) => {
  const { call, partition } = await flow(t, {})
  await call('PUT', '/stop')
  const refused = await call('PATCH', '/offsets', { offsets: [{ partition, offset: { sequence: 'x' } }] })
  assert.equal(refused.status, 400)
  assert.equal(message(refused), 'Invalid offset for a gRPC source: sequence must be a whole number from 0')
  const other = { grpc_server: 'other:1', grpc_method: 'a/b' }
  const foreign = await call('PATCH', '/offsets', { offsets: [{ partition: other, offset: { resume: 1 } }] })
  assert.equal(foreign.status, 400)
  assert.match(message(foreign), /^Invalid offset for a gRPC source: this connector reads/)
  const removed = await call('PATCH', '/offsets', { offsets: [{ partition: { any: 'thing' }, offset: null }] })
  assert.equal(removed.status, 200, message(removed))
})
