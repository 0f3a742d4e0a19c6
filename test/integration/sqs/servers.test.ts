import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type SharedAws, sharedElasticMq, sharedKafka, sharedMoto } from '@tributary/harness'
import { createTopic, type KeptRecord, readPartition } from '../../support/kafka-topic.ts'
import { type Services, startServices } from '../../support/services.ts'
import { type FlowOptions, outOfOrder, SqsFlow } from '../../support/sqs-flow.ts'
import { type SqsError, SqsProxy } from '../../support/sqs-proxy.ts'
import { until } from '../../support/until.ts'

const MESSAGES = 200
const GROUPS = 10
const BAD = 7
/**
 * moto looks at the groups in flight when a long poll begins, and not again: two polls get messages of one group, and one poll waits
 * to its end for a group that is free. SQS does neither.
 */
const SHORT_LANE = { 'sqs.receive.lanes.max': '1', 'sqs.wait.time.seconds': '1' }
const header = (record: KeptRecord | undefined, name: string): string | undefined =>
  record?.headers.find(([key]) => key === name)?.[1]?.toString()

const { brokers } = await sharedKafka()
const s3 = (await sharedMoto()).url

let services: Services | undefined
before(async () => (services = await startServices('sqs-ingest')))
after(() => services?.stop())

async function flowOn(server: SharedAws, options: FlowOptions = {}): Promise<SqsFlow> {
  return await SqsFlow.create(server, brokers, await createTopic(brokers), options)
}

/** Runs a connector while `work` lasts. */
async function running(
  name: string,
  config: Readonly<Record<string, string>>,
  work: () => Promise<void>,
): Promise<void> {
  await services!.create(name, config)
  try {
    await work()
  } finally {
    await services!.rest('DELETE', `/connectors/${name}`)
  }
}

async function assertAllOnce(flow: SqsFlow): Promise<void> {
  await flow.drained()
  const { lost, twice } = await flow.arrivals()
  assert.deepEqual([lost, twice], [[], 0])
}

for (const [name, shared] of Object.entries({ elasticmq: sharedElasticMq, moto: sharedMoto })) {
  describe(`SQS by ${name}`, () => {
    let server: SharedAws
    before(async () => (server = await shared()))

    test('each message becomes a record with its id and its times, and is deleted', async () => {
      const flow = await flowOn(server)
      await flow.send(MESSAGES)
      await running(`${name}-read`, flow.config(), async () => {
        await assertAllOnce(flow)
        const [record] = await flow.records()
        assert.equal(header(record, 'sqs.message.id'), record?.key?.toString())
        assert.match(header(record, 'sqs.sent.timestamp') ?? '', /^\d{13}$/)
        assert.equal(header(record, 'sqs.approximate.receive.count'), '1')
        assert.equal(header(record, 'sqs.receipt.handle'), undefined)
      })
    })

    test('groups keep their order around a message that becomes a dead letter, which has its group', async () => {
      const body = (n: number): string => (n === BAD ? '{"sequence":"7","bad":"s3://no-such-bucket/7"}' : `{"sequence":"${n}"}`) // prettier-ignore
      const flow = await flowOn(server, { groups: GROUPS, body })
      const dlq = await createTopic(brokers)
      const config = {
        ...flow.config(),
        'aws.s3.endpoint.override': s3,
        'message.converter.class': 'io.connect.sqs.converter.ClaimCheckMessageConverter',
        'message.claimcheck.field.path': 'bad',
        'max.retries': '2',
        'retry.backoff.ms': '50',
        'dlq.topic': dlq,
        ...(name === 'moto' ? SHORT_LANE : {}),
      }
      await flow.send(60)
      await running(`${name}-groups`, config, async () => {
        await flow.drained()
        const { numbers, lost, twice } = await flow.arrivals()
        assert.deepEqual([lost, twice], [[BAD], 0])
        assert.deepEqual(
          outOfOrder(numbers, (n) => flow.groupOf(n)),
          [],
        )
        const letters = await readPartition(brokers, dlq)
        assert.equal(letters.length, 1)
        assert.equal(String(letters[0]?.value), body(BAD))
        assert.equal(header(letters[0], 'sqs.message.group.id'), flow.groupOf(BAD))
        assert.match(header(letters[0], 'error.message') ?? '', /NoSuchBucket/)
      })
    })

    test('a body that points to S3 becomes the object', async () => {
      const bucket = `servers-${name}-${process.pid}`
      const put = (path: string, body?: string) => fetch(`${s3}/${path}`, { method: 'PUT', ...(body === undefined ? {} : { body }) }) // prettier-ignore
      assert.ok((await put(bucket)).ok)
      const flow = await flowOn(server, { body: (n) => `s3://${bucket}/${n}` })
      for (let n = 1; n <= 20; n++) assert.ok((await put(`${bucket}/${n}`, `{"sequence":"${n}"}`)).ok)
      const converter = 'io.connect.sqs.converter.ClaimCheckMessageConverter'
      await flow.send(20)
      const config = { ...flow.config(), 'aws.s3.endpoint.override': s3, 'message.converter.class': converter }
      await running(`${name}-object`, config, () => assertAllOnce(flow))
    })

    test('SQS is away, or throttles: the task waits, tells it, and goes on', async () => {
      const proxy = await SqsProxy.listen(server.url)
      const flow = await flowOn(server)
      const connector = `${name}-away`
      const stats = async (): Promise<string> => {
        const { body } = await services!.rest('GET', `/connectors/${connector}/health`)
        return JSON.stringify(body)
      }
      const answer = async (error: SqsError): Promise<void> => {
        proxy.fault = () => error
        const before = proxy.count('ReceiveMessage')
        await flow.send(10)
        await until('the source has tried again', () => proxy.count('ReceiveMessage') > before + 3)
        const status = await services!.status(connector)
        assert.deepEqual(status.tasks.map(({ state }) => state), ['RUNNING'], await stats()) // prettier-ignore
        proxy.fault = undefined
        await assertAllOnce(flow)
      }
      await running(connector, { ...flow.config(proxy.url), 'sqs.wait.time.seconds': '1' }, async () => {
        await flow.send(10)
        await assertAllOnce(flow)
        await answer({ status: 503, type: 'ServiceUnavailable', message: 'injected' })
        await answer({ status: 403, type: 'com.amazonaws.sqs#RequestThrottled', message: 'injected' })
      })
      await proxy.close()
    })

    test('a paused connector leaves the messages to others', async () => {
      const flow = await flowOn(server)
      const connector = `${name}-pause`
      await running(connector, { ...flow.config(), 'sqs.wait.time.seconds': '1' }, async () => {
        await flow.send(10)
        await assertAllOnce(flow)
        await services!.rest('PUT', `/connectors/${connector}/pause`)
        await until('the connector is paused', async () => {
          const { tasks } = await services!.status(connector)
          return tasks.length > 0 && tasks.every(({ state }) => state === 'PAUSED')
        })
        await flow.send(10)
        // A receive that was under way when the pause came gives back what it gets.
        await until('all messages are visible', async () => (await flow.depth()).visible === 10)
        await services!.rest('PUT', `/connectors/${connector}/resume`)
        await assertAllOnce(flow)
      })
    })
  })
}
