import type { ProduceResult, ProducerRecord } from '@tributary/kafka-producer'
import { silentLog } from '@tributary/telemetry/testing'
import { type Batch, batchOf } from '../../../libs/connect-runtime/src/records/batch.ts'
import { commitRecords } from '../../../libs/connect-runtime/src/records/commit-records.ts'
import { Tail } from '../../../libs/connect-runtime/src/tail/tail.ts'
import { Taps } from '../../../libs/connect-runtime/src/tail/taps.ts'

/** `npm run bench -- tail`: what a tail costs the task for each record, above the same without one, at 100,000 records a second. */
const BATCH = 500
const PAIRS = 15
const BATCHES_A_WINDOW = 20

const sourcePartition = { feed: 'a' }
const records = Array.from({ length: BATCH }, (_, n) => ({
  ...{ sourcePartition, sourceOffset: { n }, topic: 't', key: null, value: 'x'.repeat(100), timestamp: 1 },
}))
const value = Buffer.alloc(100, 'x')
const encoded = records.map((): ProducerRecord => ({ topic: 't', partition: 0, key: null, value, timestamp: 1 }))
const indexes = records.map((_, i) => i)
const batch: Batch = batchOf({ records, polled: records, filtered: 0, encoded, indexes, polledAt: 0 }, [])
const result: ProduceResult = { offset: (index) => BigInt(index), failures: [] }
const task = { commitBatch: () => {} } as never

/** CPU in µs a record, of a second of windows. */
function measure(rate: number | null): number {
  const taps = new Taps()
  const tap = taps.add({ connector: 'c', task: 0 }, [], silentLog)
  const tail = rate === null ? null : new Tail({ rate, topic: null }, (lines) => void JSON.stringify(lines.length))
  if (tail !== null) taps.watch('c', tail)
  const before = process.cpuUsage()
  for (let window = 0; window < 100; window++) {
    for (let i = 0; i < BATCHES_A_WINDOW; i++) commitRecords({ task, tap }, batch, result)
    tail?.endWindow()
  }
  const { user, system } = process.cpuUsage(before)
  tail?.close()
  return (user + system) / (100 * BATCHES_A_WINDOW * BATCH)
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!
for (const rate of [null, 100, 1000]) measure(rate)
const costs = new Map<number | null, number[]>([null, 100, 1000].map((rate) => [rate, []]))
for (let pair = 0; pair < PAIRS; pair++) for (const [rate, of] of costs) of.push(measure(rate))
console.log('| tail | CPU a record, µs |\n| ---- | ---------------- |')
for (const [rate, of] of costs) console.log(`| ${rate === null ? 'none' : `${rate}/s`} | ${median(of).toFixed(4)} |`)
console.log(JSON.stringify(Object.fromEntries([...costs].map(([rate, of]) => [String(rate), median(of)]))))
