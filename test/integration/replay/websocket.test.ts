import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { REPLAY_HEADER } from '@tributary/connect-api'
import { createTopic, readEndOffset } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'
import { FeedServer } from '../websocket/feeds/feed-server.ts'
import { addresses, type Config, header, replayScene, type Scene, untilRecords } from './scene.ts'

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
})
