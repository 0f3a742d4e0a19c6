/**
 * Raw rate of the producer: records of 200 bytes, by default to one partition, acks=all, idempotent, without a pipeline
 * around the producer.
 *
 * KAFKA_BROKERS=127.0.0.1:9092 npx node test/bench/producer.ts [seconds a row, default 3]
 *
 * Prints one JSON line at the end. CPU is that of this process, user and system. The `client` rows are the limit to
 * compare with: @platformatic/kafka's own Producer at its best settings. Each row runs in a process of its own.
 */
import { sharedKafka } from '@tributary/harness'
import { createProducer, type ProducerDriver } from '@tributary/kafka-producer'
import { Producer } from '@platformatic/kafka'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createTopic, readEndOffset } from '../support/kafka-topic.ts'

const WARM_UP_MS = 500

interface Row {
  readonly row: string
  readonly messagesPerSecond: number
  readonly cpuMicrosPerMessage: number
  readonly lost: number
  readonly peakRssMiB: number
}

type SendBatch = (count: number) => Promise<void>
interface Load {
  /** Records in one send, and the number of concurrent sends. */
  readonly count: number
  readonly lanes: number
}
const LOADS: Readonly<Record<string, Load>> = {
  '500 a request': { count: 500, lanes: 1 },
  full: { count: 4000, lanes: 3 },
}
const DRIVERS = ['tributary', 'kafkajs', 'client'] as const

async function measure(
  row: string,
  topic: string,
  brokers: readonly string[],
  load: Load,
  send: SendBatch,
): Promise<Row> {
  let sent = 0
  const runUntil = async (end: number): Promise<void> => {
    const lane = async (): Promise<void> => {
      while (performance.now() < end) {
        await send(load.count)
        sent += load.count
      }
    }
    await Promise.all(Array.from({ length: load.lanes }, lane))
  }
  await runUntil(performance.now() + WARM_UP_MS)
  const warm = sent
  const cpu = process.cpuUsage()
  const start = performance.now()
  await runUntil(start + seconds * 1000)
  const elapsedS = (performance.now() - start) / 1000
  const used = process.cpuUsage(cpu)
  const messages = sent - warm
  const kept = Number(await readEndOffset(brokers, topic))
  return {
    row,
    messagesPerSecond: Math.round(messages / elapsedS),
    cpuMicrosPerMessage: Number(((used.user + used.system) / messages).toFixed(2)),
    lost: sent - kept,
    peakRssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
  }
}

async function runOurs(driver: ProducerDriver, brokers: readonly string[], name: string, load: Load): Promise<Row> {
  const topic = await createTopic(brokers)
  const signal = new AbortController().signal
  const producer = createProducer({ brokers, clientId: 'bench' }, { driver })
  await producer.start(signal)
  const value = Buffer.alloc(recordBytes, 'x')
  const row = await measure(`${driver}, ${name}`, topic, brokers, load, async (count) => {
    const timestamp = Date.now()
    const records = Array.from({ length: count }, () => ({ topic, partition: 0, key: null, value, timestamp }))
    const result = await producer.send(records, signal)
    if (result.failures.length > 0) throw result.failures[0]!.error
  })
  await producer.close()
  return row
}

async function runClient(brokers: readonly string[], name: string, load: Load): Promise<Row> {
  const topic = await createTopic(brokers)
  const producer = new Producer({ clientId: 'bench', bootstrapBrokers: [...brokers], idempotent: true, retries: true })
  const value = Buffer.alloc(recordBytes, 'x')
  // The client's own producer loses records with more than one request in flight a partition, so it gets one lane
  // whatever the load.
  const row = await measure(`client, ${name}`, topic, brokers, { ...load, lanes: 1 }, async (count) => {
    const messages = Array.from({ length: count }, () => ({ topic, partition: 0, value }))
    await producer.send({ messages, acks: -1 })
  })
  await producer.close()
  return row
}

const [secondsText = '3', driver, name, bytesText = '200'] = process.argv.slice(2)
const seconds = Number(secondsText)
const recordBytes = Number(bytesText)

if (driver !== undefined && name !== undefined) {
  const { brokers } = await sharedKafka()
  const load = LOADS[name]!
  const row =
    driver === 'client'
      ? await runClient(brokers, name, load)
      : await runOurs(driver as ProducerDriver, brokers, name, load)
  console.log(JSON.stringify(row))
} else {
  const { brokers } = await sharedKafka()
  const rows: Row[] = []
  for (const load of Object.keys(LOADS)) {
    for (const each of DRIVERS) {
      const args = [fileURLToPath(import.meta.url), secondsText, each, load]
      const env = { ...process.env, KAFKA_BROKERS: brokers.join(',') }
      const { stdout } = await promisify(execFile)(process.execPath, args, { env })
      rows.push(JSON.parse(stdout.trim()) as Row)
    }
  }
  console.table(rows)
  console.log(JSON.stringify({ bench: 'producer', recordBytes, seconds, rows }))
  process.exit(0)
}
