/**
 * The gRPC rows of the figures in the README: limits and pipeline in the same run. `npm run bench -- grpc [messages]`.
 * Needs a quiet machine; uses KAFKA_BROKERS, or starts a broker.
 */
import { sharedKafka } from '@tributary/harness'
import { start } from '../child.ts'
import { machine, measureAll, ratio, round, speedTable, steadyTable } from '../report.ts'
import { Rig } from '../rig.ts'
import { ownReport, produceOnly, type Speed, watchTopic } from '../speed.ts'
import { startUp, STEADY, type Steady, watchSteady } from '../steady.ts'
import { connectorConfig } from './connector-config.ts'

const APP = 'grpc-ingest'
const BARE = 'test/bench/grpc/bare-pipe.ts'
const RECORD_BYTES = 200
const count = Number(process.argv[2] ?? 1_000_000)
const steadyCount = STEADY.rate * STEADY.seconds
const { brokers } = await sharedKafka()
const rig = new Rig(brokers)
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

/** Receives and, with Kafka, produces. The bare program measures itself where there is no topic to watch. */
function bare(name: string, mode: 'receive' | 'decode' | 'json' | 'bytes'): Promise<Speed> {
  return withSource(async (port) => {
    const topic = await rig.topic()
    const child = start(BARE, [brokers[0]!, topic, port, String(count), '0', mode])
    const toKafka = mode === 'json' || mode === 'bytes'
    return toKafka ? watchTopic(rig, { name, child, topic, count }) : ownReport(name, child, count)
  })
}

function pipeline(name: string, extra: Record<string, string>): Promise<Speed> {
  return withSource(async (port) => {
    const topic = await rig.topic()
    const cluster = `${rig.run}-${topic}`
    const child = rig.startIngest(APP, cluster)
    await child.value('address')
    await rig.configure(cluster, connectorConfig(port, topic, { count }, extra))
    const committedOnly = extra['exactly.once.support'] !== undefined
    return watchTopic(rig, { name, child, topic, count, committedOnly })
  })
}

function bareSteady(): Promise<Steady> {
  return withSource(async (port) => {
    const topic = await rig.topic(true)
    const args = [brokers[0]!, topic, port, String(steadyCount), String(STEADY.rate), 'json']
    return watchSteady(rig, start(BARE, args), topic)
  }, 0)
}

function pipelineSteady(): Promise<Steady> {
  return withSource(async (port) => {
    const topic = await rig.topic(true)
    const cluster = `${rig.run}-${topic}`
    const child = rig.startIngest(APP, cluster)
    await child.value('address')
    await rig.configure(cluster, connectorConfig(port, topic, { count: steadyCount, rate: STEADY.rate }))
    return watchSteady(rig, child, topic)
  }, 0)
}

const EXACTLY_ONCE = { ...RESUME, 'exactly.once.support': 'required' }
const speeds = await measureAll([
  () => bare('receive only', 'receive'),
  () => bare('receive and decode', 'decode'),
  () => produceOnly(brokers, RECORD_BYTES),
  () => bare('bare pipe, json', 'json'),
  () => pipeline('pipeline, json', {}),
  () => bare('bare pipe, bytes', 'bytes'),
  () => pipeline('pipeline, bytes', { 'grpc.value.format': 'bytes' }),
  () => pipeline('pipeline, json, exactly once', EXACTLY_ONCE),
])
const steady = { 'bare pipe': await bareSteady(), pipeline: await pipelineSteady() }
console.error(JSON.stringify(steady))
const startMs = await withSource(
  (port) => startUp(rig, APP, (topic) => connectorConfig(port, topic, { count: 1_000_000, rate: 1000 }, RESUME)),
  0,
)

const ofBarePipe = {
  json: ratio(speeds, 'pipeline, json', 'bare pipe, json'),
  bytes: ratio(speeds, 'pipeline, bytes', 'bare pipe, bytes'),
  exactlyOnce: ratio(speeds, 'pipeline, json, exactly once', 'bare pipe, json'),
}
console.log(JSON.stringify({ machine, messages: count, speeds, ofBarePipe, steady, startMs }))
console.log(`\n${machine}, ${count.toLocaleString('en')} messages at full speed\n\n${speedTable(speeds)}`)
const { json, bytes, exactlyOnce } = ofBarePipe
console.log(
  `\nof the bare pipe: json ${round(json, 2)}, bytes ${round(bytes, 2)}, exactly once ${round(exactlyOnce, 2)}`,
)
console.log(`\n${steadyTable(steady)}`)
console.log(`\nstart of the process to the first record, second start, median of 5: ${Math.round(startMs)} ms`)
await rig.close()
