/**
 * A dead-letter topic of a million records: `npm run bench -- dead-letters [letters]`. Uses KAFKA_BROKERS, or starts a broker. Two
 * processes have an index each, one after the other, as two replicas of the control plane.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { ERROR_TYPES } from '@tributary/connect-api'
import type { DeadLetterIndexState, LetterFilter } from '@tributary/dead-letters'
import { createProducer } from '@tributary/kafka-producer'
import { Rig } from '../support/rig.ts'
import { machine, median, table } from '../support/table.ts'
import type { Asked, Usage } from './index-process.ts'

const LETTERS = Number(process.argv[2] ?? 1_000_000)
const PARTITIONS = 3
const BATCH = 5000
const ROUNDS = 9
const DAY_MS = 86_400_000
/** The letters are of three days: a broker keeps records for seven by default. */
const START = Math.floor(Date.now() / DAY_MS - 3) * DAY_MS
const STEP_MS = (3 * DAY_MS) / LETTERS

const rig = await Rig.create()
const topic = await rig.topic({ partitions: PARTITIONS })
await produce()

interface Replica {
  readonly child: ChildProcess
  readonly before: Usage
  readonly after: Usage
  readonly seconds: number
}
interface Answer {
  readonly ms: number
  readonly ids: readonly string[]
  readonly total: number
}

const ask = async <T>(child: ChildProcess, asked: Asked): Promise<T> => {
  child.send(asked)
  return ((await once(child, 'message')) as [T])[0]
}

const replicas = [await replica(), await replica()] as const
const middle = { from: START + DAY_MS, to: START + 1.2 * DAY_MS }
const questions: readonly (readonly [string, number, LetterFilter])[] = [
  ['first page', 100, {}],
  ['filter by type and time', 500, { errorTypes: ['AUTH_ERROR'], ...middle }],
  ['filter by connector and status', 500, { connectors: ['sink-7'], statuses: ['UNRESOLVED'] }],
  ['text: a word of all letters', 1000, { text: 'cannot' }],
  ['text: a word of some letters', 1000, { text: 'value 42' }],
  ['text: a word of one letter', 1000, { text: String(LETTERS >> 1) }],
  ['text: the beginning of a word', 1000, { text: '77*' }],
  ['text in payloads', 1000, { text: 'customer4711', inPayload: true }],
  ['text, type and time', 1000, { text: 'cannot', errorTypes: ['AUTH_ERROR'], ...middle }],
]
const rows: (string | number)[][] = replicas.map(({ seconds }, i) => [`index built, replica ${i + 1}`, '60 s', `${seconds.toFixed(1)} s`]) // prettier-ignore
let differing = 0
for (const [name, limit, filter] of questions) {
  const answers: Answer[][] = []
  for (const { child } of replicas) {
    const found: Answer[] = []
    for (let round = 0; round < ROUNDS; round++) found.push(await ask<Answer>(child, { name: 'query', filter }))
    answers.push(found)
  }
  const plain = answers.map((found) => found.map(({ ids, total }) => ({ ids, total })))
  if (!plain.flat().every((one) => isDeepStrictEqual(one, plain[0]![0]))) differing++
  const times = answers.flat().map(({ ms }) => ms)
  const first = Math.max(...answers.map((found) => found[0]!.ms))
  const total = answers[0]![0]!.total.toLocaleString('en')
  rows.push([`${name} (${total})`, `${limit} ms`, `${median(times).toFixed(1)} ms, at first ${first.toFixed(1)} ms`])
  console.error(JSON.stringify({ name, limit, total, first, median: median(times), worst: Math.max(...times) }))
}
rows.push(['answers that differ between replicas', '0', String(differing)])
for (const [i, { child, before, after }] of replicas.entries()) {
  const now = await ask<Usage>(child, { name: 'usage' })
  const cpu = `${(after.cpu - before.cpu).toFixed(1)} s`
  rows.push([`memory of replica ${i + 1}`, 'bounded', `${before.rss.toFixed(0)} MiB before, ${after.rss.toFixed(0)} when built, ${now.rss.toFixed(0)} after the questions`]) // prettier-ignore
  rows.push([`CPU of building, replica ${i + 1}`, '', cpu])
}
console.log(`\n${machine}; ${LETTERS.toLocaleString('en')} letters in ${PARTITIONS} partitions\n`)
console.log(table(['', 'limit', 'result'], rows))
for (const { child } of replicas) {
  child.send({ name: 'stop' })
  await once(child, 'exit')
}
await rig.close()

async function replica(): Promise<Replica> {
  const script = new URL('./index-process.ts', import.meta.url)
  const child = fork(script, [rig.connection.brokers.join(','), topic])
  const [before] = (await once(child, 'message')) as [Usage]
  const started = performance.now()
  for (;;) {
    const { ready, indexed, troubles } = await ask<DeadLetterIndexState>(child, { name: 'state' })
    if (troubles.length > 0) throw new Error(troubles.join(' '))
    if (ready && indexed >= LETTERS) break
    await sleep(50)
  }
  const seconds = (performance.now() - started) / 1000
  const after = await ask<Usage>(child, { name: 'usage' })
  console.error(JSON.stringify({ seconds, before, after }))
  return { child, before, after, seconds }
}

/** Letters as a connector writes them: some 150 bytes of value, and the headers of Kafka Connect. */
async function produce(): Promise<void> {
  const signal = new AbortController().signal
  const producer = createProducer(rig.connection, { driver: 'tributary' })
  await producer.start(signal)
  const header = (name: string, value: string): readonly [string, Buffer] => [name, Buffer.from(value)]
  for (let from = 0; from < LETTERS; from += BATCH) {
    const records = Array.from({ length: Math.min(BATCH, LETTERS - from) }, (_, i) => {
      const n = from + i
      const value = {
        id: n,
        price: `abc${n % 77}`,
        name: `customer${n % 5000}`,
        text: 'lorem ipsum dolor sit amet consetetur',
      }
      return {
        ...{ topic, partition: n % PARTITIONS, timestamp: Math.floor(START + n * STEP_MS) },
        ...{ key: Buffer.from(`key-${n}`), value: Buffer.from(JSON.stringify(value)) },
        headers: [
          header('__connect.errors.connector.name', `sink-${n % 10}`),
          header('__connect.errors.task.id', String(n % 4)),
          header('__connect.errors.topic', `orders-${n % 20}`),
          header('__connect.errors.partition', '0'),
          header('__connect.errors.offset', String(n)),
          header('__connect.errors.stage', 'VALUE_CONVERTER'),
          header('__connect.errors.class.name', 'org.apache.kafka.connect.json.JsonConverter'),
          header('__connect.errors.exception.class.name', 'org.apache.kafka.connect.errors.DataException'),
          header('__connect.errors.exception.message', `cannot read price of record ${n}: the value ${n % 97} is no number`), // prettier-ignore
          header('error_type', ERROR_TYPES[n % ERROR_TYPES.length]!),
        ],
      }
    })
    const { failures } = await producer.send(records, signal)
    if (failures[0]) throw failures[0].error
  }
  await producer.close()
}
