/**
 * Measures what the number of connectors costs: `npm run bench -- control-plane [sizes, default 1,10,100,1000]`. Takes
 * some minutes.
 *
 * For each size the benchmark starts a control plane and a grpc-ingest as real processes in a cluster of their own, and
 * creates connectors of one gRPC stream each. Every task has its own connections to the source and to Kafka, and gets a
 * message every 4 s. The source, the broker, the services and this program share one machine. Then the benchmark
 * measures the request rate of `GET /connectors/{connector}` beside that of a bare fastify route, and computes the
 * rounds of a large group without a broker.
 *
 * Needs a quiet machine. Uses KAFKA_BROKERS (whose group.initial.rebalance.delay.ms is part of a worker's start), or
 * starts a broker.
 */
import { randomUUID } from 'node:crypto'
import { sharedKafka, temporaryFolder } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import { startScript } from '../support/child.ts'
import { simulateRounds } from './assignment-rounds.ts'
import { measureSize, type SizeFigures } from './measure-size.ts'
import { report } from './report.ts'
import { type RequestRate, requestRate } from './request-rate.ts'
import { timeGet } from './rest-load.ts'
import { machine } from '../support/table.ts'

const RATE = 500
const RATE_SECONDS = 10
const TOPIC_PARTITIONS = 8

const sizes = (process.argv[2] ?? '1,10,100,1000').split(',').map(Number)
if (sizes.some((size) => !Number.isSafeInteger(size) || size < 1)) {
  throw new Error(`sizes are whole numbers from 1, with commas between them; not: ${process.argv[2]}`)
}
const { brokers } = await sharedKafka()
const connection = { brokers, clientId: 'bench' }
const admin = new KafkaAdmin(connection)
const run = `bench-${randomUUID().slice(0, 8)}`
const logs = temporaryFolder('bench')
await admin.createTopic({ name: run, partitions: TOPIC_PARTITIONS, replicationFactor: 1, configs: {} })

const sourceProcess = startScript('control-plane/idle-source.ts', [])
const counter = await sourceProcess.value('streams')
const source = {
  port: await sourceProcess.value('port'),
  openStreams: async () => Number(await (await fetch(`http://127.0.0.1:${counter}`)).text()),
}

const rates: RequestRate[] = []
/** Measures the bare route first and last, so that a change of the machine's speed shows. */
async function measureRates(rest: string, connector: string): Promise<void> {
  const path = `/connectors/${connector}`
  const { body } = await timeGet(rest, path)
  const bare = startScript('control-plane/bare-rest.ts', [body])
  const limit = `127.0.0.1:${await bare.value('port')}`
  for (const [name, address] of [
    ['bare route', limit],
    ['control plane', rest],
    ['bare route again', limit],
  ] as const) {
    rates.push(await requestRate({ name, url: `http://${address}${path}`, rate: RATE, seconds: RATE_SECONDS }))
  }
  await bare.stop()
}

const figures: SizeFigures[] = []
const largest = Math.max(...sizes)
for (const connectors of sizes) {
  const cluster = `${run}-${connectors}`
  const options = { connection, cluster, logs, topic: run, source, connectors }
  figures.push(await measureSize(connectors === largest ? { ...options, whileRunning: measureRates } : options))
  console.error(JSON.stringify(figures.at(-1)))
  await admin.deleteTopics(['configs', 'offsets', 'status', 'plugins'].map((store) => `${cluster}-connect-${store}`))
}
await admin.deleteTopics([run])
await admin.close()
await sourceProcess.stop()

const groups = [
  { connectors: 1000, tasksEach: 10, rounds: await simulateRounds(1000, 10, 50) },
  { connectors: 10_000, tasksEach: 1, rounds: await simulateRounds(10_000, 1, 50) },
]
const result = {
  machine,
  figures,
  rate: { perSecond: RATE, seconds: RATE_SECONDS, connectors: largest, rates },
  groups,
}
console.log(JSON.stringify(result))
console.log(report(result))
