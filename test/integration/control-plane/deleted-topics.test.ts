import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import { type Answer, send } from '../../support/rest-call.ts'
import { deliveredTo } from '../../support/delivered.ts'
import { resumeOf, startNumbersServices } from '../../support/numbers-services.ts'
import { createTopic } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'

const { brokers } = await sharedKafka()
const admin = new KafkaAdmin({ brokers, clientId: 'test' })
test.after(() => admin.close())

/** Two connectors that read a stream of numbers, one of them exactly once, in processes as a user runs them. */
async function flow(t: TestContext) {
  const { source, cluster, url, restartWorker, configOf } = await startNumbersServices(t, brokers, 1000)
  const call = (method: string, path: string, body?: unknown): Promise<Answer> =>
    send(url, { method, path: `/connectors${path}`, ...(body === undefined ? {} : { body }) })
  const topics = { plain: await createTopic(brokers), once: await createTopic(brokers) }
  for (const [name, topic] of Object.entries(topics)) {
    const guarantee = name === 'once' ? { 'exactly.once.support': 'required' } : {}
    assert.equal((await call('PUT', `/${name}/config`, { ...configOf(topic), ...guarantee })).status, 201)
  }
  const resumeAt = async (name: string): Promise<number> => resumeOf(await call('GET', `/${name}/offsets`))
  const goesOn = async (): Promise<void> => {
    for (const name of Object.keys(topics)) {
      const before = await resumeAt(name)
      await until(`the offsets of ${name} grow`, async () => (await resumeAt(name)) > before, 30_000)
    }
  }
  const healthOf = async (name: string): Promise<string> => {
    const { tasks } = (await call('GET', `/${name}/health`)).body as { tasks: { reason: string }[] }
    return tasks.map(({ reason }) => reason).join()
  }
  return { source, cluster, call, configOf, topics, goesOn, healthOf, restartWorker }
}

test('internal topics that are deleted under load come back: no connector is lost, offsets go on, no number is lost', async (t) => {
  const { source, cluster, call, configOf, topics, goesOn, healthOf, restartWorker } = await flow(t)
  await goesOn()
  const newTopic = async (store: string): Promise<void> => {
    const name = `${cluster}-connect-${store}`
    const { id } = (await admin.describeTopics([name])).get(name)!
    await admin.deleteTopics([name])
    if (store === 'offsets')
      await until('the health of a task says so', async () => {
        await admin.deleteTopics([name])
        return (await healthOf('plain')).includes(`The internal topic ${name} was deleted.`)
      })
    if (store === 'configs')
      await until('a connector is created', async () => {
        const { status, body } = await call('PUT', '/meanwhile/config', configOf('none'))
        assert.ok(status === 201 || status === 503, JSON.stringify(body))
        return status === 201
      })
    await until(`another topic has the name ${name}`, async () => {
      const found = (await admin.describeTopics([name])).get(name)
      return found !== null && found!.id !== id
    })
  }
  for (const stores of [['configs'], ['offsets'], ['status', 'plugins']]) {
    await Promise.all(stores.map(newTopic))
    await goesOn()
    assert.deepEqual(((await call('GET', '')).body as string[]).toSorted(), ['meanwhile', 'once', 'plain'])
  }
  assert.equal((await call('DELETE', '/meanwhile')).status, 204)
  // What was written back is what a new process reads.
  await restartWorker()
  await goesOn()
  const last = source.end()
  const [plain, once] = await Promise.all([
    deliveredTo(brokers, topics.plain, last),
    deliveredTo(brokers, topics.once, last),
  ])
  assert.deepEqual({ lost: plain.lost, inOrder: plain.inOrder }, { lost: 0, inOrder: true })
  assert.deepEqual({ lost: once.lost, twice: once.twice, inOrder: once.inOrder }, { lost: 0, twice: 0, inOrder: true })
  for (const name of ['plain', 'once']) {
    const { tasks } = (await call('GET', `/${name}/status`)).body as { tasks: { state: string }[] }
    assert.deepEqual(tasks.map(({ state }) => state), ['RUNNING']) // prettier-ignore
  }
})
