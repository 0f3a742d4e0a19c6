import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { Props } from '@tributary/connect-api'
import { createStores } from '@tributary/connect-storage'
import { type Child, startChild, temporaryFolder } from '@tributary/harness'
import { KafkaAdmin, readPartition } from '@tributary/kafka'
import { createLogger } from '@tributary/telemetry'
import type { Feed, SourceFixture } from '../source-fixture.ts'
import { until } from '../until.ts'
import type { KafkaTaskRunner } from './kafka-task-runner.ts'

const CONNECTOR = 'killed'
const KILLS = process.env['TRIBUTARY_TEST_LONG'] === '1' ? 20 : 2
/** The load: `messages` messages every `everyMs` ms. */
const LOAD = { messages: 20, everyMs: 20 }
/** The process is killed up to `ms` ms after it has written at least `records` records. */
const BEFORE_KILL = { records: 200, ms: 500 }

const silent = createLogger({ name: 'contract', stream: { write: () => true } })

export interface KillContractOptions {
  /** The service's `main.ts`. */
  readonly main: URL
  readonly kafka: KafkaTaskRunner
  /** Keys beside those of the feed. */
  readonly props?: Props
  /** Whether no record may come twice; `props` holds what switches that on. */
  readonly exactlyOnce?: boolean
}

/**
 * Runs the service of a source that can resume as a process, under load, kills that process with SIGKILL at random moments and
 * starts it again. Nothing may be lost, the order must hold, and with exactly once nothing may come twice.
 */
export function killContract(name: string, fixture: SourceFixture, options: KillContractOptions): void {
  const promise = options.exactlyOnce ? 'loses and repeats nothing' : 'loses nothing'
  test(`${name}: ${promise} over ${KILLS} kills with SIGKILL`, async (t) => {
    const cluster = `contract-${randomUUID()}`
    const connection = { brokers: options.kafka.brokers, clientId: cluster }
    const topic = `${cluster}-records`
    const admin = new KafkaAdmin(connection)
    await admin.createTopic({ name: topic, partitions: 1, replicationFactor: 1 })
    await admin.close()
    const feed = await fixture.startFeed()
    t.after(() => feed.stop())
    await putConnector(connection, cluster, {
      name: CONNECTOR,
      'connector.class': fixture.plugin.class,
      'tasks.max': '1',
      'kafka.topic': topic,
      'value.converter': 'io.tributary.connect.converters.PlainConverter',
      ...feed.props,
      ...fixture.resume,
      ...options.props,
    })
    const numbers = async (): Promise<number[]> => {
      const records = await readPartition(connection, { topic, partition: 0, from: 0n })
      return records.flatMap(({ value }) => (value === null ? [] : (fixture.numberOf(value) ?? [])))
    }
    const data = temporaryFolder('contract')
    const sent = await killUnderLoad(t, feed, numbers, () => startService(options, cluster, data))
    await until(async () => new Set(await numbers()).size >= sent, 'everything sent is in the topic', 60_000)
    assertDelivered(await numbers(), sent, options.exactlyOnce ?? false)
  })
}

async function putConnector(
  connection: { readonly brokers: readonly string[]; readonly clientId: string },
  cluster: string,
  config: Record<string, string>,
): Promise<void> {
  const { configs } = createStores({ connection, log: silent, cluster })
  await configs.start(new AbortController().signal)
  await configs.putConnectorConfig(CONNECTOR, config)
  await configs.stop()
}

async function startService({ main, kafka }: KillContractOptions, cluster: string, data: string): Promise<Child> {
  return await startChild({
    command: process.execPath,
    args: [fileURLToPath(main)],
    logFile: join(temporaryFolder('contract'), 'service.log'),
    env: {
      KAFKA_BROKERS: kafka.brokers.join(','),
      TRIBUTARY_CLUSTER: cluster,
      // The process returns under its id, so the group does not wait for the end of the killed one's session.
      TRIBUTARY_GROUP_INSTANCE_ID: 'contract',
      TRIBUTARY_DATA_DIR: data,
    },
  })
}

/** @returns how many messages the feed has sent in all. */
async function killUnderLoad(
  t: TestContext,
  feed: Feed,
  numbers: () => Promise<number[]>,
  start: () => Promise<Child>,
): Promise<number> {
  let sent = 0
  let service = await start()
  t.after(() => service.kill())
  // The first connection has nothing to resume from.
  await until(() => feed.connections > 0, 'the service has connected', 60_000)
  const load = setInterval(() => {
    feed.send(LOAD.messages)
    sent += LOAD.messages
  }, LOAD.everyMs)
  t.after(() => clearInterval(load))
  for (let kill = 0; kill < KILLS; kill++) {
    const before = (await numbers()).length
    const delivered = async (): Promise<boolean> => (await numbers()).length > before + BEFORE_KILL.records
    await until(delivered, `the service delivers after ${kill} kills`, 60_000)
    await new Promise((resolve) => setTimeout(resolve, Math.random() * BEFORE_KILL.ms))
    await service.kill()
    service = await start()
  }
  clearInterval(load)
  return sent
}

function assertDelivered(numbers: readonly number[], sent: number, exactlyOnce: boolean): void {
  const seen = new Set<number>()
  let highest = 0
  for (const number of numbers) {
    if (!seen.has(number)) assert.ok(number > highest, `${number} first came after ${highest}`)
    highest = Math.max(highest, number)
    seen.add(number)
  }
  const missing = Array.from({ length: sent }, (_, i) => i + 1).filter((number) => !seen.has(number))
  assert.deepEqual(missing, [], `${missing.length} of ${sent} are missing`)
  if (exactlyOnce) assert.equal(numbers.length, seen.size, `${numbers.length - seen.size} came twice`)
}
