import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { REPLAY_HEADER, type ReplayRequest } from '@tributary/connect-api'
import { createTopic, readEndOffset } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'
import { FeedServer } from '../websocket/feeds/feed-server.ts'
import { addresses, letter, write } from './letters.ts'
import { type Config, header, replayScene, type Scene, untilRecords } from './scene.ts'

const CLASS = 'io.tributary.connect.websocket.WebSocketSourceConnector'

const TEXTS = ['a', 'b', 'c', 'd']

describe('a replay of dead letters of a WebSocket feed', () => {
  let scene: Scene
  let feed: FeedServer
  before(async () => {
    feed = await FeedServer.start({
      onClient: ({ say, number }) => {
        if (number === 1) for (const text of TEXTS) say(text)
      },
    })
    scene = await replayScene('ws-ingest')
  })
  after(async () => {
    await scene?.close()
    feed?.stop()
  })

  test('brings each in once after the configuration is mended, while the feed is idle', async () => {
    const { services, brokers } = scene
    const [topic, dlq] = await Promise.all([createTopic(brokers), createTopic(brokers)])
    const mended: Config = {
      'connector.class': CLASS,
      'websocket.url': feed.url,
      'kafka.topic': topic,
      'errors.tolerance': 'all',
      'errors.deadletterqueue.topic.name': dlq,
    }
    const converter = 'org.apache.kafka.connect.converters.ByteArrayConverter'
    await services.create('feed', { ...mended, 'value.converter': converter })
    const letters = await untilRecords(brokers, dlq, 4)
    assert.deepEqual(letters.map(({ value }) => String(value)), TEXTS) // prettier-ignore
    const request = { replay: 'one', letters: addresses(dlq, [...letters.map(({ offset }) => offset), 4711n]) }

    const failing = await scene.replay('feed', { ...request, replay: 'too early' })
    assert.deepEqual(failing.map(({ outcome }) => outcome), ['failed', 'failed', 'failed', 'failed', 'gone']) // prettier-ignore
    assert.equal(await readEndOffset(brokers, dlq), 4n, 'a replay makes no dead letter')

    const { status } = await services.rest('PUT', '/connectors/feed/config', mended)
    assert.equal(status, 200)
    await until('the new run is there', async () => {
      const shown = await scene.replay('feed', { ...request, dryRun: true })
      return shown[0]!.outcome === 'would-write'
    })
    assert.equal(await readEndOffset(brokers, topic), 0n, 'a dry run writes nothing')

    const outcomes = await scene.replay('feed', request)
    const wanted = [0n, 1n, 2n, 3n].map((offset) => ({
      outcome: 'written',
      topic,
      partition: 0,
      offset: String(offset),
    }))
    assert.deepEqual(outcomes.slice(0, 4), wanted)
    assert.equal(outcomes[4]!.outcome, 'gone')
    const records = await untilRecords(brokers, topic, 4)
    assert.deepEqual(records.map(({ value }) => String(value)), TEXTS) // prettier-ignore
    assert.deepEqual(new Set(records.map((record) => header(record, REPLAY_HEADER))), new Set(['one']))

    assert.deepEqual(await scene.replay('feed', request), outcomes, 'a repeated batch is answered from memory')
    assert.equal(await readEndOffset(brokers, topic), 4n)
  })

  test('leaves out what a later record of its key has superseded, also where the broker gives the times, and edits', async () => {
    const { brokers, services } = scene
    const [topic, appended, dlq] = await Promise.all([
      createTopic(brokers),
      createTopic(brokers, { config: { 'message.timestamp.type': 'LogAppendTime' } }),
      createTopic(brokers),
    ])
    await services.create('keyed', {
      'connector.class': CLASS,
      'websocket.url': feed.url,
      'kafka.topic': topic,
      'key.field': 'id',
      'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    })
    const keyed = (id: string, timestamp: number, more = '') =>
      letter(dlq, topic, `{"id":"${id}","n":"7","big":12345678901234567890${more}}`, {
        key: Buffer.from(id),
        timestamp,
      })
    const cut = { 'value.size': '99', 'value.sha256': 'x' }
    const cutHeaders = Object.entries(cut).map(
      ([name, value]) => [`__tributary.errors.${name}`, Buffer.from(value)] as const,
    )
    const whole = letter(dlq, topic, 'cut')
    const letters = [keyed('a', 1000), keyed('b', 1000), keyed('c', 1000), keyed('a', 500)]
    await write(brokers, [...letters, { ...whole, headers: [...whole.headers!, ...cutHeaders] }])
    const live = { partition: 0, key: Buffer.from('b'), value: Buffer.from('live'), timestamp: 1500 }
    await write(
      brokers,
      [topic, appended].map((to) => ({ ...live, topic: to })),
    )
    const kinds = async (request: Partial<ReplayRequest>): Promise<string[]> => {
      const outcomes = await scene.replay('keyed', { letters: addresses(dlq, [0, 1, 2, 3, 4]), ...request })
      return outcomes.map(({ outcome }) => outcome)
    }
    const wanted = ['written', 'superseded', 'written', 'superseded', 'failed']
    assert.deepEqual(await kinds({ replay: '1' }), wanted)
    assert.deepEqual(await kinds({ replay: '2', targetTopic: appended }), wanted)
    assert.deepEqual(await kinds({ replay: '3', targetTopic: appended, force: true }), ['written', 'written', 'written', 'written', 'failed']) // prettier-ignore
    const edits: ReplayRequest['edits'] = [{ field: 'n', operation: 'cast', value: 'int' }]
    assert.deepEqual(await kinds({ replay: '4', letters: addresses(dlq, [2]), edits }), ['written'])
    const last = (await untilRecords(brokers, topic, 4)).at(-1)!
    assert.equal(String(last.value), '{"id":"c","n":7,"big":12345678901234567890}')
    assert.equal(last.timestamp, 1000n)
    const internal = await scene.replay('keyed', { replay: '5', letters: addresses(dlq, [0]), targetTopic: `${services.cluster}-connect-configs` }) // prettier-ignore
    assert.match((internal[0] as { message: string }).message, /may not go to the internal topic/)
  })

  test('says why it cannot be done', async () => {
    const { services } = scene
    const wrong = await scene.ask('keyed', { edits: [{ field: 'a..b', operation: 'mask' }] })
    assert.match(`${wrong.status} ${JSON.stringify(wrong.body)}`, /^400 .*path a\.\.b of an edit/)
    assert.equal((await scene.ask('nobody', {})).status, 404)
    const stale = await scene.ask('keyed', { task: 0, config: 'another' })
    assert.match(`${stale.status} ${JSON.stringify(stale.body)}`, /^409 .*newest configuration/)
    await services.rest('PUT', '/connectors/keyed/pause')
    await until('the task is paused', async () => {
      const { status, body } = await scene.ask('keyed', {})
      return status === 409 && /Task 0 of connector keyed is paused; resume/.test(JSON.stringify(body))
    })
  })
})
