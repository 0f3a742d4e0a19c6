/**
 * The WebSocket rows of the figures in the README: limits and pipeline in the same run. `npm run bench -- ws [messages]`.
 * Needs a quiet machine; uses KAFKA_BROKERS, or starts a broker.
 */
import { sharedKafka } from '@tributary/harness'
import { type Child, start } from '../child.ts'
import { machine, measureAll, ratio, round, speedTable, steadyTable } from '../report.ts'
import { Rig } from '../rig.ts'
import { ownReport, produceOnly, type Speed, watchTopic } from '../speed.ts'
import { startUp, STEADY, type Steady, watchSteady } from '../steady.ts'
import { table } from '../table.ts'
import { measureReconnects } from './reconnects.ts'

const APP = 'ws-ingest'
const BARE = 'test/bench/ws/bare-pipe.ts'
const RECORD_BYTES = 100
const count = Number(process.argv[2] ?? 1_000_000)
const steadyCount = STEADY.rate * STEADY.seconds
const { brokers } = await sharedKafka()
const rig = new Rig(brokers)

type Frames = 'text' | 'binary'

const url = (port: string, query = ''): string => `ws://127.0.0.1:${port}/feed${query}`

function connectorConfig(address: string, topic: string, extra: Record<string, string> = {}) {
  return {
    name: 'bench',
    'connector.class': 'io.tributary.connect.websocket.WebSocketSourceConnector',
    'tasks.max': '1',
    'websocket.url': address,
    'kafka.topic': topic,
    ...extra,
  }
}

async function withSource<T>(frames: Frames, prepared: number, run: (port: string, source: Child) => Promise<T>) {
  const source = start('test/bench/ws/source.ts', [String(prepared), frames])
  try {
    return await run(await source.value('port'), source)
  } finally {
    await source.stop()
  }
}

/** The topic must contain as many messages as TCP has taken from the source. */
async function watched(name: string, child: Child, topic: string, source: Child): Promise<Speed> {
  const speed = await watchTopic(rig, { name, child, topic, count })
  const sent = Number(await source.value('sent'))
  return { ...speed, lost: speed.lost + sent - count }
}

function receiveOnly(): Promise<Speed> {
  return withSource('text', count, (port) =>
    ownReport('receive only', start(BARE, ['', '', url(port), String(count), 'receive']), count),
  )
}

function bare(name: string, frames: Frames): Promise<Speed> {
  return withSource(frames, count, async (port, source) => {
    const topic = await rig.topic()
    const child = start(BARE, [brokers[0]!, topic, url(port), String(count), 'pipe'])
    return watched(name, child, topic, source)
  })
}

function pipeline(name: string, frames: Frames, extra: Record<string, string> = {}): Promise<Speed> {
  return withSource(frames, count, async (port, source) => {
    const topic = await rig.topic()
    const cluster = `${rig.run}-${topic}`
    const child = rig.startIngest(APP, cluster)
    await child.value('address')
    await rig.configure(cluster, connectorConfig(url(port), topic, extra))
    return watched(name, child, topic, source)
  })
}

const steadyQuery = `?count=${steadyCount}&rate=${STEADY.rate}`

function bareSteady(): Promise<Steady> {
  return withSource('text', 0, async (port) => {
    const topic = await rig.topic(true)
    const child = start(BARE, [brokers[0]!, topic, url(port, steadyQuery), String(steadyCount), 'pipe'])
    return watchSteady(rig, child, topic)
  })
}

function pipelineSteady(): Promise<Steady> {
  return withSource('text', 0, async (port) => {
    const topic = await rig.topic(true)
    const cluster = `${rig.run}-${topic}`
    const child = rig.startIngest(APP, cluster)
    await child.value('address')
    await rig.configure(cluster, connectorConfig(url(port, steadyQuery), topic))
    return watchSteady(rig, child, topic)
  })
}

const FIELDS = { 'sequence.field': 'sequence', 'key.field': 'symbol' }
const speeds = await measureAll([
  () => receiveOnly(),
  () => produceOnly(brokers, RECORD_BYTES),
  () => bare('bare pipe, text', 'text'),
  () => pipeline('pipeline, text', 'text'),
  () => pipeline('pipeline, text, sequence and key from JSON', 'text', FIELDS),
  () => bare('bare pipe, binary', 'binary'),
  () => pipeline('pipeline, binary', 'binary'),
])
const steady = { 'bare pipe': await bareSteady(), pipeline: await pipelineSteady() }
console.error(JSON.stringify(steady))
const reconnects = await measureReconnects(rig, APP, (port, topic) => connectorConfig(url(port), topic))
console.error(JSON.stringify(reconnects))
const startMs = await withSource('text', 0, (port) =>
  startUp(rig, APP, (topic) => connectorConfig(url(port, '?count=1000000&rate=1000'), topic)),
)

const ofBarePipe = {
  text: ratio(speeds, 'pipeline, text', 'bare pipe, text'),
  fields: ratio(speeds, 'pipeline, text, sequence and key from JSON', 'bare pipe, text'),
  binary: ratio(speeds, 'pipeline, binary', 'bare pipe, binary'),
}
console.log(JSON.stringify({ machine, messages: count, speeds, ofBarePipe, steady, reconnects, startMs }))
console.log(`\n${machine}, ${count.toLocaleString('en')} messages at full speed\n\n${speedTable(speeds)}`)
const { text, fields, binary } = ofBarePipe
console.log(`\nof the bare pipe: text ${round(text, 2)}, with fields ${round(fields, 2)}, binary ${round(binary, 2)}`)
console.log(`\n${steadyTable(steady)}`)
console.log(`\n${reconnects[0]?.count} closes by the server, its close frame to the client's next connection\n`)
console.log(
  table(
    ['the server then', 'answered', 'median ms', 'max ms'],
    reconnects.map((r) => [r.then, `${r.answered} of ${r.count}`, round(r.medianMs), round(r.maxMs)]),
  ),
)
console.log(`\nstart of the process to the first record, second start, median of 5: ${Math.round(startMs)} ms`)
await rig.close()
