import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { WebSocket } from 'ws'
import { createStores } from '@tributary/connect-storage'
import { sharedKafka, startChild, temporaryFolder } from '@tributary/harness'
import { createLogger } from '@tributary/telemetry'
import { createTopic, readPartition } from '../../../support/kafka-topic.ts'
import { until } from '../../../support/until.ts'
import { FeedServer } from './feed-server.ts'

const MAIN = new URL('../../../../apps/ws-ingest/src/main.ts', import.meta.url).pathname
const CHANGES = 10
const RATE = 2000
const TICK_MS = 5

const quiet = createLogger({ name: 'config-changes', level: 'error', stream: { write: () => true } })

/** Sends numbers at a steady rate to all connected clients. No number can be read again. */
class LiveFeed {
  readonly server: FeedServer
  readonly #timer: NodeJS.Timeout
  readonly #startedAt = performance.now()
  /** The last number sent. */
  last = 0
  /** The first number that a client received; 0: none yet. */
  first = 0
  /** The most numbers in a row that were sent while no client was connected, after the first number. */
  unheard = 0

  private constructor(server: FeedServer) {
    this.server = server
    this.#timer = setInterval(() => this.#tick(), TICK_MS)
  }

  static async start(t: TestContext): Promise<LiveFeed> {
    const feed = new LiveFeed(await FeedServer.start({}))
    t.after(() => {
      feed.end()
      feed.server.stop()
    })
    return feed
  }

  get open(): number {
    return this.server.clients.filter(({ socket }) => socket.readyState === WebSocket.OPEN).length
  }

  end(): void {
    clearInterval(this.#timer)
  }

  /** Sends the numbers that are due by now. */
  #tick(): void {
    const due = Math.floor(((performance.now() - this.#startedAt) * RATE) / 1000)
    const open = this.server.clients.filter(({ socket }) => socket.readyState === WebSocket.OPEN)
    while (this.last < due) {
      this.last++
      if (open.length > 0) this.first ||= this.last
      else if (this.first > 0) this.unheard++
      for (const { socket } of open) socket.send(`{"n":${this.last},"id":"m-${this.last}"}`)
    }
  }
}

/** A worker process and its connector. `change` changes the connector's configuration. */
async function startConnector(t: TestContext, props: Readonly<Record<string, string>>) {
  const { brokers } = await sharedKafka()
  const cluster = `ws-changes-${randomUUID().slice(0, 8)}`
  const { configs } = createStores({ connection: { brokers, clientId: cluster }, log: quiet, cluster })
  await configs.start(t.signal)
  const topic = await createTopic(brokers)
  const change = (more: Readonly<Record<string, string>>): Promise<void> =>
    configs.putConnectorConfig('feed', {
      name: 'feed',
      'connector.class': 'io.tributary.connect.websocket.WebSocketSourceConnector',
      'tasks.max': '1',
      'kafka.topic': topic,
      ...props,
      ...more,
    })
  await change({})
  const logFile = join(temporaryFolder('ws-changes'), 'ws-ingest.log')
  const env = { KAFKA_BROKERS: brokers.join(','), TRIBUTARY_CLUSTER: cluster }
  const child = await startChild({ command: process.execPath, args: [MAIN], logFile, env })
  t.after(async () => {
    await child.kill()
    await configs.stop()
  })
  const numbers = async (): Promise<number[]> =>
    (await readPartition(brokers, topic)).map(({ value }) => (JSON.parse(String(value)) as { n: number }).n)
  return { change, numbers, log: () => readFileSync(logFile, 'utf8') }
}

/** Each of these settings distinguishes a duplicate of two connections from a gap. */
const KINDS: readonly [how: string, props: Readonly<Record<string, string>>][] = [
  ['sequence numbers', { 'sequence.field': 'n' }],
  ['ids', { 'dedupe.field': 'id' }],
]

for (const [how, props] of KINDS) {
  test(`ten config changes under ${RATE} messages a second, distinguished by ${how}: no gap, no duplicate`, async (t) => {
    const feed = await LiveFeed.start(t)
    const connector = await startConnector(t, { 'websocket.url': feed.server.url, ...props })
    const tail = (error: unknown): never => {
      throw new Error(`${(error as Error).message}\n${connector.log().split('\n').slice(-40).join('\n')}`)
    }
    await until('the feed is read', () => feed.first > 0).catch(tail)
    for (let i = 1; i <= CHANGES; i++) {
      const before = feed.last
      await connector.change({ 'max.poll.records': String(2000 + i) })
      await until(`change ${i} has led to one new connection`, () => feed.server.clients.length === 1 + i).catch(tail)
      await until('the connection before it is gone', () => feed.open === 1).catch(tail)
      await until('the new one streams', () => feed.last > before + RATE / 20)
    }
    feed.end()
    const { first, last, unheard } = feed
    await until('the last message is there', async () => (await connector.numbers()).includes(last)).catch(tail)
    const numbers = await connector.numbers()
    const distinct = new Set(numbers)
    const lost = last - first + 1 - distinct.size
    const twice = numbers.length - distinct.size
    t.diagnostic(`${last - first + 1} messages, ${lost} lost, ${twice} twice, ${unheard} sent to nobody`)
    assert.deepEqual({ lost, twice, unheard }, { lost: 0, twice: 0, unheard: 0 })
    assert.deepEqual(
      numbers,
      [...numbers].sort((a, b) => a - b),
    )
  })
}
