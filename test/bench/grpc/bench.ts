/**
 * The gRPC rows of the figures in the README: limits and pipeline in the same run. `npm run bench -- grpc [messages]`.
 * Needs a quiet machine; uses KAFKA_BROKERS, or starts a broker.
 */
import { execFile } from 'node:child_process'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sharedKafka } from '@tributary/harness'
import { cpuUs, samplePeakRss } from '../process-usage.ts'
import { table } from '../table.ts'
import { latencies, type Latencies } from './latency.ts'
import { type Child, Rig, connectorConfig, start } from './rig.ts'
import { missingSequences } from './read-topic.ts'

interface Speed {
  readonly name: string
  readonly messagesPerSecond: number
  readonly cpuUsPerMessage: number
  readonly peakRssMiB: number
  readonly lost: number
}

const MIB = 1024 * 1024
const BARE = 'test/bench/grpc/bare-pipe.ts'
const count = Number(process.argv[2] ?? 1_000_000)
const rate = 10_000
const latencySeconds = 20
const kafka = await sharedKafka()
const rig = new Rig(kafka.brokers)
const RESUME = {
  'grpc.resume.field': 'sequence',
  'grpc.resume.request.field': 'from',
  'grpc.resume.request.next': 'true',
}

async function withSource<T>(run: (port: string) => Promise<T>, prepared = count): Promise<T> {
  const source = start('test/bench/grpc/source.ts', [String(prepared)])
  try {
    return await run(await source.value('port'))
  } finally {
    await source.stop()
  }
}

/** The producer alone, in a process of its own (test/bench/producer.ts): 200-byte records, as many as it takes. */
async function rawProducer(): Promise<Speed> {
  const args = [join(import.meta.dirname, '../producer.ts'), '5', 'platformatic', 'full']
  const env = { ...process.env, KAFKA_BROKERS: kafka.brokers.join() }
  const { stdout } = await promisify(execFile)(process.execPath, args, { env })
  const row = JSON.parse(stdout) as { messagesPerSecond: number; cpuMicrosPerMessage: number; peakRssMiB: number; lost: number } // prettier-ignore
  const { messagesPerSecond, cpuMicrosPerMessage, peakRssMiB, lost } = row
  return { name: 'produce only', messagesPerSecond, cpuUsPerMessage: cpuMicrosPerMessage, peakRssMiB, lost }
}

/** Receives and, with Kafka, produces: the bare program measures itself where no topic can be watched. */
function bare(name: string, mode: 'receive' | 'decode' | 'json' | 'bytes'): Promise<Speed> {
  return withSource(async (port) => {
    const topic = await rig.topic()
    const child = start(BARE, [kafka.brokers[0]!, topic, port, String(count), '0', mode])
    return mode === 'json' || mode === 'bytes' ? watchTopic(name, child, topic) : ownReport(name, child)
  })
}

async function ownReport(name: string, child: Child): Promise<Speed> {
  const [ms, us, rss] = [await child.value('ms'), await child.value('cpu_us'), await child.value('rss')].map(Number)
  await child.stop()
  return {
    name,
    messagesPerSecond: Math.round((count * 1000) / ms!),
    cpuUsPerMessage: us! / count,
    peakRssMiB: rss! / MIB,
    lost: 0,
  }
}

/** From the first record in the topic to the last, by the topic's end offset. */
async function watchTopic(name: string, child: Child, topic: string, transactional = false): Promise<Speed> {
  const rss = samplePeakRss(child.pid)
  const startedAt = await rig.reached(topic, 1)
  const cpuBefore = cpuUs(child.pid)
  const endedAt = await rig.reached(topic, count)
  const cpu = cpuUs(child.pid) - cpuBefore
  const peak = rss.stop()
  await child.stop()
  const lost = await missingSequences(rig.connection, topic, count, transactional)
  return {
    name,
    messagesPerSecond: Math.round((count * 1000) / (endedAt - startedAt)),
    cpuUsPerMessage: cpu / count,
    peakRssMiB: peak / MIB,
    lost,
  }
}

function pipeline(name: string, extra: Record<string, string>): Promise<Speed> {
  return withSource(async (port) => {
    const topic = await rig.topic()
    const cluster = `${rig.run}-${topic}`
    const ingest = rig.startIngest(cluster)
    await ingest.value('address')
    const stores = await rig.stores(cluster)
    await stores.configs.putConnectorConfig('bench', connectorConfig(port, topic, { count }, extra))
    const speed = await watchTopic(name, ingest, topic, extra['exactly.once.support'] !== undefined)
    await stores.configs.stop()
    return speed
  })
}

/** Open loop at 10,000 messages a second. */
function steady(kind: 'bare' | 'pipeline', extra: Record<string, string>): Promise<Latencies & { peakRssMiB: number }> {
  const messages = rate * latencySeconds
  return withSource(async (port) => {
    const topic = await rig.topic(true)
    const cluster = `${rig.run}-${topic}`
    let child: Child
    if (kind === 'bare') {
      child = start(BARE, [kafka.brokers[0]!, topic, port, String(messages), String(rate), 'json'])
    } else {
      child = rig.startIngest(cluster)
      await child.value('address')
      const stores = await rig.stores(cluster)
      await stores.configs.putConnectorConfig('bench', connectorConfig(port, topic, { count: messages, rate }, extra))
      await stores.configs.stop()
    }
    const rss = samplePeakRss(child.pid)
    await rig.reached(topic, messages)
    const peakRssMiB = rss.stop() / MIB
    await child.stop()
    return { ...(await latencies(rig.connection, topic, messages, 3 * rate)), peakRssMiB }
  }, 0)
}

/** From the start of the process to its first record, on the second start. */
async function startUp(): Promise<number> {
  return withSource(async (port) => {
    const topic = await rig.topic()
    const cluster = `${rig.run}-${topic}`
    const stores = await rig.stores(cluster)
    await stores.configs.putConnectorConfig(
      'bench',
      connectorConfig(port, topic, { count: 1_000_000, rate: 1000 }, RESUME),
    )
    const first = rig.startIngest(cluster)
    await rig.reached(topic, 1000)
    await first.stop()
    const times: number[] = []
    for (let i = 0; i < 5; i++) {
      const before = await rig.end(topic)
      const startedAt = performance.now()
      const child = rig.startIngest(cluster)
      times.push((await rig.reached(topic, before + 1)) - startedAt)
      await child.stop()
    }
    await stores.configs.stop()
    return times.sort((a, b) => a - b)[2]!
  }, 0)
}

const EXACTLY_ONCE = { ...RESUME, 'exactly.once.support': 'required' }
const speeds: Speed[] = []
for (const measure of [
  () => bare('receive only', 'receive'),
  () => bare('receive and decode', 'decode'),
  () => rawProducer(),
  () => bare('bare pipe, json', 'json'),
  () => pipeline('pipeline, json', {}),
  () => bare('bare pipe, bytes', 'bytes'),
  () => pipeline('pipeline, bytes', { 'grpc.value.format': 'bytes' }),
  () => pipeline('pipeline, json, exactly once', EXACTLY_ONCE),
]) {
  speeds.push(await measure())
  console.error(JSON.stringify(speeds.at(-1)))
}
const bareSteady = await steady('bare', {})
const pipelineSteady = await steady('pipeline', {})
console.error(JSON.stringify({ bareSteady, pipelineSteady }))
const startMs = await startUp()

const speed = (name: string): number => speeds.find((s) => s.name === name)!.messagesPerSecond
const result = {
  machine: `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`,
  messages: count,
  speeds,
  ofBarePipe: {
    json: speed('pipeline, json') / speed('bare pipe, json'),
    bytes: speed('pipeline, bytes') / speed('bare pipe, bytes'),
    exactlyOnce: speed('pipeline, json, exactly once') / speed('bare pipe, json'),
  },
  steady: { rate, bare: bareSteady, pipeline: pipelineSteady },
  startMs,
}
console.log(JSON.stringify(result))
const round = (n: number, digits = 1): number => Number(n.toFixed(digits))
console.log(`\n${result.machine}, ${count.toLocaleString('en')} messages at full speed\n`)
console.log(
  table(
    ['', 'msg/s', 'µs CPU', 'peak MiB', 'lost'],
    speeds.map((s) => [s.name, s.messagesPerSecond, round(s.cpuUsPerMessage), round(s.peakRssMiB, 0), s.lost]),
  ),
)
console.log(
  `\nof the bare pipe: json ${round(result.ofBarePipe.json, 2)}, bytes ${round(result.ofBarePipe.bytes, 2)}, exactly once ${round(result.ofBarePipe.exactlyOnce, 2)}`,
)
console.log(`\n${rate.toLocaleString('en')} messages a second, source stamp to broker append, ms\n`)
console.log(
  table(
    ['', 'p50', 'p99', 'p99.9', 'max', 'peak MiB'],
    [
      ['bare pipe', bareSteady],
      ['pipeline', pipelineSteady],
    ].map(([name, l]) => {
      const { p50, p99, p999, max, peakRssMiB } = l as typeof bareSteady
      return [name as string, ...[p50, p99, p999, max].map((n) => round(n)), round(peakRssMiB, 0)]
    }),
  ),
)
console.log(`\nstart of the process to the first record, second start, median of 5: ${Math.round(startMs)} ms`)
await rig.close()
