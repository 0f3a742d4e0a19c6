import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type SharedAws, sharedElasticMq, sharedKafka, sqsCall } from '@tributary/harness'
import { createTopic } from '../../support/kafka-topic.ts'
import { type FlowOptions, SqsFlow } from '../../support/sqs-flow.ts'
import { asPreviewed, type Preview, previewed, previewScene, type Scene } from './scene.ts'

const COUNT = 12
const RECEIVES = 'sqs.approximate.receive.count'
/** The first receive of the real run is that of the preview. */
const VARY = [RECEIVES, 'sqs.approximate.first.receive.timestamp']

describe('a preview of an SQS queue', () => {
  let scene: Scene
  let server: SharedAws
  before(async () => {
    ;[scene, server] = await Promise.all([previewScene('sqs-ingest'), sharedElasticMq()])
  })
  after(() => scene?.close())

  const flowOf = async (options: FlowOptions = {}): Promise<SqsFlow> => {
    const { brokers } = await sharedKafka()
    const flow = await SqsFlow.create(server, brokers, await createTopic(brokers), options)
    await flow.send(COUNT)
    return flow
  }
  const receivesOf = ({ written }: Preview['records'][number]): number =>
    Number(written!.headers.find(({ name }) => name === RECEIVES)!.value!.text)

  const KINDS = { 'a standard queue': 0, 'a FIFO queue': 3 }
  const previews = new Map<string, { readonly flow: SqsFlow; readonly preview: Preview }>()

  test('leaves Kafka, the data folder and the queue as they were', async () => {
    const flows = await Promise.all(Object.values(KINDS).map((groups) => flowOf({ groups })))
    await scene.leavesAll(async () => {
      for (const [i, kind] of Object.keys(KINDS).entries()) {
        const flow = flows[i]!
        const before = await flow.depth()
        assert.deepEqual(before, { visible: COUNT, inFlight: 0 })
        const preview = await scene.preview(flow.config(), 'records=10&seconds=10')
        assert.deepEqual(await flow.depth(), before)
        assert.deepEqual(await flow.records(), [])
        assert.equal(preview.records.length, 10)
        assert.match(preview.source ?? '', /visible in its queue again, and its receive count is one higher/)
        assert.ok(preview.records.every((record) => receivesOf(record) === 1))
        previews.set(kind, { flow, preview })
      }
    })
  })

  for (const kind of Object.keys(KINDS)) {
    test(`shows byte for byte what is then written of ${kind}`, async () => {
      const { flow, preview } = previews.get(kind)!
      const arrived = await scene.run(`run-${flow.topic}`, flow.config(), flow.topic, 1, COUNT)
      const byValue = new Map(arrived.map((record) => [String(record.value), record]))
      for (const record of preview.records) {
        const real = byValue.get(record.written!.value!.text!)
        assert.ok(real, 'it was not written')
        assert.deepEqual(previewed(record, real, VARY), asPreviewed(real, VARY))
        const receives = real.headers.find(([name]) => name === RECEIVES)?.[1]
        assert.equal(String(receives), '2', 'the receive of the preview counts')
      }
    })
  }

  test('is refused while a connector reads the queue, and takes what it is allowed to take if forced', async () => {
    const flow = await flowOf()
    const config = flow.config()
    await scene.services.create('reads', config)
    const path = '/connectors/reads/preview?seconds=1'
    const { status, body } = await scene.services.rest('POST', path)
    assert.equal(status, 409, JSON.stringify(body))
    assert.match((body as { message: string }).message, /could disturb reads/)
    const forced = await scene.services.rest('POST', `${path}&force=true`)
    assert.ok([200, 504].includes(forced.status), JSON.stringify(forced.body))
    const other = await flowOf()
    const preview = await scene.preview(other.config(), 'records=3')
    assert.equal(preview.records.length, 3)
    const { Attributes } = await sqsCall<{ Attributes: Record<string, string> }>(server.url, 'GetQueueAttributes', { QueueUrl: other.queue, AttributeNames: ['All'] }) // prettier-ignore
    assert.equal(Attributes['ApproximateNumberOfMessagesNotVisible'], '0')
    await scene.services.rest('DELETE', '/connectors/reads')
  })

  test('deletes nothing that a filter policy or a duplicate would have deleted', async () => {
    const flow = await flowOf()
    const filtered = {
      ...flow.config(),
      'sqs.message.filter.policy': '{"none":["x"]}',
      'sqs.filter.unmatched': 'delete',
    }
    const { records, ended } = await scene.preview(filtered, 'seconds=1')
    assert.deepEqual([records.length, ended], [0, 'time'])
    assert.deepEqual(await flow.depth(), { visible: COUNT, inFlight: 0 })
  })
})
