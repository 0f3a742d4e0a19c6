import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import assert from 'node:assert/strict'
import { after, describe, test, type TestContext } from 'node:test'
import type { Props } from '@tributary/connect-api'
import { createStores } from '@tributary/connect-storage'
import { grpcSource } from '@tributary/grpc-ingest'
import { sharedKafka, temporaryFolder } from '@tributary/harness'
import { kafkaTaskRunner } from '@tributary/testkit/kafka'
import { createLogger } from '@tributary/telemetry'
import { startIngest } from '../../support/ingest.ts'
import { builtGoProgram, startForeignServer } from '../../support/foreign-server.ts'
import { NumbersSource } from '../../support/numbers-source.ts'
import { sendTicks, startTicker, type Ticker, type WatchCall } from '../../support/grpc-ticker.ts'
import { tickerProps } from '../../support/grpc-task.ts'
import { createTopic, readPartition } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'

const kafka = await kafkaTaskRunner()
after(() => kafka.stop())

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i)

/**
 * A log of ticks, which grows by one every 2 ms. A stream continues after the token, or number, that its request names.
 */
async function growingLog(t: TestContext, after: (call: WatchCall) => number): Promise<Ticker & { grown: number }> {
  let grown = 0
  const watch = async (call: WatchCall): Promise<void> => {
    for (let at = after(call); !call.cancelled; await new Promise((resolve) => setTimeout(resolve, 2))) {
      for (; at < grown && !call.cancelled; at++) await sendTicks(call, at + 1, at + 1, { token: `t-${at + 1}` })
    }
  }
  const ticker = await startTicker({
    watch: (call) => {
      call.sendMetadata(call.metadata.clone())
      return watch(call)
    },
  })
  const timer = setInterval(() => grown++, 2)
  t.after(() => {
    clearInterval(timer)
    ticker.stop()
  })
  return Object.defineProperty(ticker, 'grown', { get: () => grown }) as Ticker & { grown: number }
}

/** Runs a task, hands it over twice, and returns the numbers in the topic. */
async function handOverTwice(ticker: Ticker & { grown: number }, props: Props): Promise<number[]> {
  const runner = await kafka.createRunner()
  const task = await runner.start(grpcSource, tickerProps(ticker.port, { ...props, 'kafka.topic': runner.topic }))
  const numbers = async (): Promise<number[]> =>
    (await task.kept()).map(({ value }) => Number((JSON.parse(String(value)) as { sequence: string }).sequence))
  try {
    for (let i = 1; i <= 2; i++) {
      const before = ticker.grown
      await until('it delivers', async () => (await numbers()).some((number) => number > before + 50))
      await task.handOver()
    }
    const before = ticker.grown
    await until('the last run delivers', async () => (await numbers()).some((number) => number > before + 50))
    assert.equal(task.stats.sequenceGaps, 0)
  } finally {
    await task.stop()
  }
  return numbers()
}

interface Worker {
  readonly ingest: { events(name: string): number; completed(): number }
  numbers(): Promise<number[]>
}

/** A process of the gRPC source with one connector. */
async function startWorker(t: TestContext, props: Props): Promise<Worker> {
  const { brokers } = await sharedKafka()
  const cluster = `hand-over-${randomUUID().slice(0, 8)}`
  const log = createLogger({ name: 'hand-over', level: 'error', stream: { write: () => true } })
  const { configs } = createStores({ connection: { brokers, clientId: cluster }, log, cluster })
  await configs.start(t.signal)
  t.after(() => configs.stop())
  const topic = await createTopic(brokers)
  await configs.putConnectorConfig('numbers', {
    name: 'numbers',
    'connector.class': 'io.tributary.connect.grpc.GrpcSourceConnector',
    ...props,
    'kafka.topic': topic,
  })
  const env = { KAFKA_BROKERS: brokers.join(','), TRIBUTARY_CLUSTER: cluster }
  const ingest = await startIngest(join(temporaryFolder('hand-over'), 'log'), env)
  t.after(() => ingest.child.kill())
  const events = (wanted: string): number => ingest.log.events().filter(({ name }) => name === wanted).length
  return {
    ingest: { events, completed: () => events('hand_over_completed') },
    numbers: async () =>
      (await readPartition(brokers, topic)).map(({ value }) =>
        Number((JSON.parse(String(value)) as { sequence: string }).sequence),
      ),
  }
}

describe('a gRPC stream is handed over without a gap or a duplicate', () => {
  test('by a token, after which the server is asked to continue once more', async (t) => {
    const ticker = await growingLog(t, (call) => Number(call.request.token.slice(2)))
    const numbers = await handOverTwice(ticker, { 'grpc.resume.field': 'token', 'grpc.resume.request.field': 'token' })
    assert.deepEqual(numbers, range(1, numbers.length))
    // Each successor reads beside its predecessor, and then once more from the place where the predecessor stopped.
    assert.equal(ticker.requests.length, 1 + 2 * 2)
  })

  test('by a number in any order, the same way', async (t) => {
    const ticker = await growingLog(t, (call) => call.request.from?.sequence ?? 0)
    const numbers = await handOverTwice(ticker, {
      'grpc.resume.field': 'sequence',
      'grpc.resume.request.field': 'from.sequence',
      'grpc.resume.monotonic': 'false',
    })
    assert.deepEqual(numbers, range(1, numbers.length))
    assert.equal(ticker.requests.length, 1 + 2 * 2)
  })

  test('by a number that only grows, without asking again', async (t) => {
    const ticker = await growingLog(t, (call) => call.request.from?.sequence ?? 0)
    const numbers = await handOverTwice(ticker, {
      'grpc.resume.field': 'sequence',
      'grpc.resume.request.field': 'from.sequence',
    })
    assert.deepEqual(numbers, range(1, numbers.length))
    assert.equal(ticker.requests.length, 1 + 2)
  })

  test('when its server is about to close the connection, by a worker', async (t) => {
    // grpc-go sends GOAWAY after a second or so, and cuts the stream five seconds later. What a client misses is gone.
    const args = ['-live', '-interval', '2ms', '-max-age', '1s', '-grace', '5s']
    const server = await startForeignServer({ command: await builtGoProgram('grpc-go'), args })
    t.after(() => server.stop())
    const { ingest, numbers } = await startWorker(t, {
      ...tickerProps(server.port),
      'grpc.resume.field': 'sequence',
    })
    await until('its stream was replaced three times', () => ingest.completed() >= 3)
    const kept = await numbers()
    assert.deepEqual(kept, range(kept[0]!, kept.at(-1)!))
    assert.equal(ingest.events('reconnect_executing'), 0)
  })

  test('before it gets too old, by a worker', async (t) => {
    const source = await NumbersSource.listen({ rate: 2000, payloadBytes: 10 })
    t.after(() => source.close())
    const { ingest, numbers } = await startWorker(t, {
      ...source.config(),
      'grpc.max.connection.age.ms': '500',
    })
    await until('its stream was replaced three times', () => ingest.completed() >= 3)
    const last = source.end()
    await until('the last number is there', async () => (await numbers()).at(-1) === last)
    assert.deepEqual(await numbers(), range(1, last))
    assert.ok(source.streams >= 4)
  })
})
