import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { sharedSchemaRegistry } from '@tributary/harness'
import { builtGoProgram, type ForeignServer, startForeignServer } from '../../support/foreign-server.ts'
import { tickerProps } from '../../support/grpc-task.ts'
import { until } from '../../support/until.ts'
import { asPreviewed, type Config, type Preview, previewed, previewScene, type Scene } from './scene.ts'

const COUNT = 12
const PARTITIONS = 3

describe('a preview of a gRPC stream of grpc-go', () => {
  let server: ForeignServer
  let quiet: ForeignServer
  let scene: Scene
  before(async () => {
    const command = await builtGoProgram('grpc-go')
    ;[server, quiet, scene] = await Promise.all([
      startForeignServer({ command, args: ['-interval', '1ms', '-count', String(COUNT)] }),
      startForeignServer({ command, args: ['-interval', '1h'] }),
      previewScene('grpc-ingest'),
    ])
  })
  after(() => Promise.all([scene?.close(), server?.stop(), quiet?.stop()]))

  const configOf = (port: number, topic: string, more: Config = {}): Config => ({
    'connector.class': 'io.tributary.connect.grpc.GrpcSourceConnector',
    ...tickerProps(port, { 'kafka.topic': topic, 'key.field': 'sequence' }),
    'topic.creation.default.partitions': String(PARTITIONS),
    'topic.creation.default.replication.factor': '1',
    'grpc.on.completion': 'stop',
    ...more,
  })
  const output = async (of: ForeignServer, word: string): Promise<number> =>
    (await of.output()).split('\n').filter((line) => line === word).length

  const CONVERTERS: Readonly<Record<string, Config>> = {
    text: {},
    'JSON with its schema': {
      'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
      'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    },
  }
  const topicOf = (name: string): string => `${scene.services.cluster}-${name.split(' ')[0]}`
  const previews = new Map<string, Preview>()

  test('leaves Kafka, the data folder and the server as they were', async () => {
    await scene.leavesAll(async () => {
      for (const [name, converters] of Object.entries(CONVERTERS)) {
        const topic = topicOf(name)
        const preview = await scene.preview(configOf(server.port, topic, converters), `records=${COUNT}`)
        previews.set(name, preview)
        assert.deepEqual(preview.topics, [{ name: topic, exists: false, partitions: PARTITIONS }])
        assert.deepEqual([preview.ended, preview.source, preview.offsets], ['records', null, 'none'])
      }
    })
    await until(
      'the streams have ended',
      async () => (await output(server, 'stream')) === (await output(server, 'ended')),
    )
    assert.ok((await output(server, 'stream')) >= Object.keys(CONVERTERS).length)
  })

  for (const [name, converters] of Object.entries(CONVERTERS)) {
    test(`shows byte for byte what is then written as ${name}`, async () => {
      const topic = topicOf(name)
      const arrived = await scene.run(
        `run-${topic}`,
        configOf(server.port, topic, converters),
        topic,
        PARTITIONS,
        COUNT,
      )
      const real = arrived.map((record) => asPreviewed(record))
      const { records } = previews.get(name)!
      const written = records.map((record) => {
        const { value } = previewed(record, arrived[0]!)
        const at = real.findIndex((each) => each.value === value)
        assert.ok(at >= 0, `${JSON.stringify(record)} was not written`)
        assert.notEqual(record.written!.partition, null, 'its key decides the partition')
        return previewed(record, arrived[at]!)
      })
      const byKey = (a: { key: string | null }, b: { key: string | null }): number => (a.key! < b.key! ? -1 : 1)
      assert.deepEqual(written.sort(byKey), real.sort(byKey))
      assert.equal(new Set(real.map(({ partition }) => partition)).size, PARTITIONS)
    })
  }

  const REGISTERING = {
    Avro: 'io.confluent.connect.avro.AvroConverter',
    Protobuf: 'io.confluent.connect.protobuf.ProtobufConverter',
    'JSON Schema': 'io.confluent.connect.json.JsonSchemaConverter',
  }
  for (const [name, converter] of Object.entries(REGISTERING)) {
    test(`registers no schema of ${name}, and shows byte for byte what is written once it is registered`, async () => {
      const registry = await sharedSchemaRegistry()
      const topic = topicOf(`${name.replace(' ', '')} `)
      const routed = `${topic}-routed`
      const config = configOf(server.port, topic, {
        'grpc.value.format': 'struct',
        'value.converter': converter,
        'value.converter.schema.registry.url': registry,
        transforms: 'mask,route',
        'transforms.mask.type': 'org.apache.kafka.connect.transforms.MaskField$Value',
        'transforms.mask.fields': 'symbol',
        'transforms.mask.replacement': 'masked',
        'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
        'transforms.route.regex': '(.*)',
        'transforms.route.replacement': '$1-routed',
      })
      const first = await scene.preview(config, 'records=2')
      assert.deepEqual(first.notes, [`A schema of the subject ${routed}-value would be registered. Its id is not known yet: 0 stands for it.`]) // prettier-ignore
      const subjects = (await (await fetch(`${registry}/subjects`)).json()) as string[]
      assert.ok(!subjects.some((subject) => subject.startsWith(topic)), 'nothing was registered')
      assert.equal(first.records[0]!.outcome, 'written')
      const steps = first.records[0]!.transforms.map(({ alias, outcome }) => [alias, outcome])
      assert.deepEqual(steps, [['mask', 'changed'], ['route', 'changed']]) // prettier-ignore

      const arrived = await scene.run(`run-${topic}`, config, routed, PARTITIONS, COUNT)
      const { records, notes } = await scene.preview(config, `records=${COUNT}`)
      assert.deepEqual(notes, [])
      const written = records.map((record) => previewed(record, arrived[0]!).value)
      assert.deepEqual(written.sort(), arrived.map((record) => asPreviewed(record).value).sort())
      assert.equal(previewed(first.records[0]!, arrived[0]!).value?.slice(0, 10), '0000000000')
    })
  }

  test('of a connector starts from its committed offsets, and runs beside it unless its source takes no second connection', async () => {
    const topic = `${scene.services.cluster}-beside`
    const config = { ...configOf(quiet.port, topic), name: 'beside' }
    await scene.services.create('beside', config)
    const path = '/connectors/beside/preview?records=1&seconds=10'
    const { status, body } = await scene.services.rest('POST', path, {})
    assert.deepEqual([status, (body as Preview).offsets], [200, 'committed'], JSON.stringify(body))
    const alone = { ...config, 'task.handover.overlap': 'never' }
    const refused = await scene.services.rest('POST', path, alone)
    assert.equal(refused.status, 409, JSON.stringify(refused.body))
    assert.match((refused.body as { message: string }).message, /could disturb beside, .*force=true/)
    assert.equal((await scene.services.rest('POST', `${path}&force=true`, alone)).status, 200)
    await scene.services.rest('PUT', '/connectors/beside/stop')
    await until('the connector has stopped', async () => (await scene.services.status('beside')).tasks.length === 0)
    assert.equal((await scene.services.rest('POST', path, alone)).status, 200)
  })

  test('ends when its time is over, when its client goes, and says what is wrong', async () => {
    const topic = `${scene.services.cluster}-none`
    await until('a preview has the first message', async () => {
      const { ended, records } = await scene.preview(configOf(quiet.port, topic), 'records=2&seconds=1')
      assert.equal(ended, 'time')
      return records.length === 1
    })

    const streams = (): Promise<number> => output(quiet, 'stream')
    const ends = (): Promise<number> => output(quiet, 'ended')
    await until('no stream is open', async () => (await streams()) === (await ends()))
    const before = await streams()
    const gone = new AbortController()
    const waiting = fetch(`${scene.services.url}/connector-plugins/GrpcSource/preview?records=2&seconds=10`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(configOf(quiet.port, topic)),
      signal: gone.signal,
    })
    await until('the stream runs', async () => (await streams()) > before)
    gone.abort()
    await assert.rejects(waiting, { name: 'AbortError' })
    await until('the stream has ended', async () => (await ends()) > before)

    const ask = (config: Config, query = '') =>
      scene.services.rest('POST', `/connector-plugins/GrpcSource/preview${query}`, config)
    const { 'kafka.topic': _, ...incomplete } = configOf(quiet.port, topic)
    const cases: [Promise<{ status: number; body: unknown }>, number, RegExp][] = [
      [ask(incomplete), 400, /kafka\.topic/],
      [ask(configOf(quiet.port, topic), '?records=101'), 400, /"records" must be a whole number from 1 to 100/],
      [ask(configOf(quiet.port, topic), '?seconds=11'), 400, /"seconds"/],
      [ask(configOf(quiet.port, topic), '?task=1'), 400, /no task 1/],
      [ask(configOf(1, topic)), 502, /The source cannot be read/],
      [scene.services.rest('POST', '/connectors/nobody/preview'), 404, /nobody/],
    ]
    for (const [asked, status, text] of cases) {
      const { status: got, body } = await asked
      assert.equal(got, status, JSON.stringify(body))
      assert.match((body as { message: string }).message, text)
    }
    assert.equal(await scene.exists(topic), false)
  })
})
