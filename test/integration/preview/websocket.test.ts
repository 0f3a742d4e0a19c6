import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { FeedServer } from '../websocket/feeds/feed-server.ts'
import { type OtherServer, startGoServer } from '../websocket/transport/other-servers.ts'
import { until } from '../../support/until.ts'
import { asPreviewed, type Config, type Preview, previewed, previewScene, type Scene } from './scene.ts'

const COUNT = 15

describe('a preview of a WebSocket feed', () => {
  let server: OtherServer
  let scene: Scene
  before(async () => {
    ;[server, scene] = await Promise.all([startGoServer(), previewScene('ws-ingest')])
  })
  after(() => Promise.all([scene?.close(), server?.stop()]))

  const configOf = (url: string, topic: string, more: Config = {}): Config => ({
    'connector.class': 'io.tributary.connect.websocket.WebSocketSourceConnector',
    'websocket.url': url,
    'kafka.topic': topic,
    'topic.creation.default.partitions': '1',
    'topic.creation.default.replication.factor': '1',
    ...more,
  })

  test('of gorilla/websocket shows byte for byte what is then written: text, bytes and a spill that it does not make', async () => {
    const topic = `${scene.services.cluster}-feed`
    const config = configOf(`ws://127.0.0.1:${server.port}/feed?count=${COUNT}`, topic, {
      'record.headers': 'url,session_id,connection,received_at',
      'overflow.policy': 'spill',
      'websocket.message.queue.size': '2',
    })
    let preview!: Preview
    await scene.leavesAll(async () => {
      preview = await scene.preview(config, `records=${COUNT}`)
    })
    assert.equal(await scene.exists(topic), false)
    assert.deepEqual(preview.topics, [{ name: topic, exists: false, partitions: 1 }])
    const arrived = await scene.run('feed', config, topic, 1, COUNT)
    const vary = ['websocket.session_id', 'websocket.received_at']
    assert.deepEqual(
      preview.records.map((record, i) => previewed(record, arrived[i]!, vary)),
      arrived.slice(0, COUNT).map((record) => asPreviewed(record, vary)),
    )
  })

  test('works as docs/preview.md shows it', async (t) => {
    const feed = await FeedServer.start({ onClient: ({ say }) => [1, 2, 3].forEach((n) => say({ n, card: '4711' })) })
    t.after(() => feed.stop())
    const page = await readFile(new URL('../../../docs/preview.md', import.meta.url), 'utf8')
    const command = /```sh\n(curl [^]*?)```/.exec(page)![1]!
    const here = command
      .replace('http://localhost:8083', scene.services.url)
      .replace('wss://feed.example.com/orders', feed.url)
      .replace('"orders"', `"${scene.services.cluster}-docs"`)
    const { stdout } = await promisify(execFile)('sh', ['-c', here])
    const values = (JSON.parse(stdout) as Preview).records.map(({ written }) => written?.value?.text)
    assert.deepEqual(values, [1, 2, 3].map((n) => `{"n":${n},"card":""}`)) // prettier-ignore
  })

  test('shows what would be a dead letter, and what fails the task', async (t) => {
    const feed = await FeedServer.start({ onClient: ({ say }) => ['{"n":1}', 'no JSON', '{"n":2}'].forEach(say) })
    t.after(() => feed.stop())
    const topic = `${scene.services.cluster}-bad`
    const config = configOf(feed.url, topic, { 'key.field': 'n', 'value.converter': 'org.apache.kafka.connect.converters.ByteArrayConverter' }) // prettier-ignore
    const outcomes = async (more: Config): Promise<string[]> => {
      const { records } = await scene.preview({ ...config, ...more }, 'records=3')
      return records.map(({ outcome, error }) => `${outcome} ${error?.stage ?? ''} ${error?.message ?? ''}`)
    }
    const [strict] = await outcomes({})
    assert.match(strict!, /^fails_task VALUE_CONVERTER /)
    const tolerant = { 'errors.tolerance': 'all' }
    assert.match((await outcomes(tolerant))[1]!, /^skipped VALUE_CONVERTER /)
    const queue = { ...tolerant, 'errors.deadletterqueue.topic.name': `${topic}-dlq` }
    assert.match((await outcomes(queue))[1]!, /^dead_letter VALUE_CONVERTER /)
    assert.equal(await scene.exists(`${topic}-dlq`), false)
  })

  test('closes its session, and asks before it opens a second one where a feed allows one', async (t) => {
    const feed = await FeedServer.start({ onClient: ({ say }) => say('hello') })
    t.after(() => feed.stop())
    const topic = `${scene.services.cluster}-one`
    const config = configOf(feed.url, topic, { 'task.handover.overlap': 'never' })
    await scene.preview(config, 'records=1')
    await until('the session is closed', () => feed.clients.every(({ socket }) => socket.readyState === 3))
    const before = feed.clients.length
    await scene.services.create('one', config)
    const refused = await scene.services.rest('POST', '/connectors/one/preview?records=1')
    assert.equal(refused.status, 409, JSON.stringify(refused.body))
    assert.equal(feed.clients.length, before + 1)
    const other = await scene.services.rest('POST', '/connector-plugins/WebSocketSource/preview?records=1', { ...config, 'task.handover.overlap': 'auto' }) // prettier-ignore
    assert.equal(other.status, 409, 'the running one allows no second session')
    const forced = await scene.services.rest('POST', '/connectors/one/preview?records=1&force=true')
    assert.equal(forced.status, 200, JSON.stringify(forced.body))
    assert.equal(feed.clients.length, before + 2)
    assert.equal(feed.clients[before]!.socket.readyState, 1, 'the running connector keeps its session')
  })
})
