import { Session } from 'node:inspector/promises'
import type { Schema, SourceRecord } from '@tributary/connect-api'
import { createConverter, createHeaderConverter } from '@tributary/converters'
import { RecordEncoder } from '../../../libs/connect-runtime/src/records/record-encoder.ts'
import { createTransformations } from '../../../libs/connect-runtime/src/model/transformations.ts'

/** What a record costs between poll and producer. */
export interface Cost {
  readonly cpuUs: number
  /** Bytes of the heap, and of it alone: Buffers outside of it are not seen. */
  readonly allocated: number
  readonly bytes: number
}

const BATCH = 500
const WARM_UP = 40
const ROUNDS = 200
const signal = new AbortController().signal

/** The message of bench-source as the gRPC source makes a struct of it. */
const SCHEMA: Schema = {
  type: 'struct',
  name: 'bench.Event',
  fields: [
    { name: 'event_id', schema: { type: 'string', default: '' } },
    { name: 'due_ns', schema: { type: 'int64', default: 0n } },
    { name: 'event_type', schema: { type: 'string', default: '' } },
    { name: 'payload', schema: { type: 'string', default: '' } },
    { name: 'sequence', schema: { type: 'int64', default: 0n } },
  ],
}

function recordsOf(withSchema: boolean): SourceRecord[] {
  const sourcePartition = { feed: 'a' }
  return Array.from({ length: BATCH }, (_, i) => {
    const [due, sequence] = withSchema ? [1_700_000_000_000_000_000n, BigInt(i)] : [1_700_000_000_000_000, i]
    const value = {
      event_id: `evt-${i.toString().padStart(10, '0')}`,
      due_ns: due,
      event_type: 'trade.executed',
      payload: 'x'.repeat(40),
      sequence,
    }
    return {
      sourcePartition,
      sourceOffset: { n: i },
      topic: 'quotes-in',
      key: null,
      value,
      valueSchema: withSchema ? SCHEMA : null,
      timestamp: 1_700_000_000_000,
    }
  })
}

/** Encodes the same records again and again with the settings of a connector. `withSchema`: structs, else plain objects. */
export async function alone(props: Readonly<Record<string, string>>, withSchema: boolean): Promise<Cost> {
  const clock = { now: () => Date.now(), monotonic: () => performance.now(), sleep: () => Promise.resolve() }
  const encoder = new RecordEncoder({
    taskClass: 'bench',
    transformations: createTransformations(props),
    keyConverter: createConverter('key.converter', props, true),
    valueConverter: createConverter('value.converter', props, false),
    headerConverter: createHeaderConverter('header.converter', props),
    errors: {
      tolerate: ({ error }) => {
        throw error
      },
    },
    clock,
    retryTimeoutMs: 0,
    retryDelayMaxMs: 0,
  })
  const sources = recordsOf(withSchema)
  const counts = new Map([
    ['quotes-in', 1],
    ['quotes', 1],
  ])
  const run = async (rounds: number): Promise<number> => {
    let bytes = 0
    for (let i = 0; i < rounds; i++) {
      const { records } = await encoder.transform(sources, signal, [])
      const { encoded } = await encoder.convert({ records, sources, counts, traceparent: null }, signal, [])
      for (const record of encoded) bytes += 'value' in record ? (record.value?.length ?? 0) : 0
    }
    return bytes
  }
  await run(WARM_UP)
  const before = process.cpuUsage()
  const bytes = await run(ROUNDS)
  const { user, system } = process.cpuUsage(before)
  const allocated = await allocatedBy(() => run(WARM_UP))
  encoder.close()
  return {
    cpuUs: (user + system) / (ROUNDS * BATCH),
    allocated: allocated / (WARM_UP * BATCH),
    bytes: bytes / (ROUNDS * BATCH),
  }
}

/** Bytes that V8's sampling profile of the heap counts, those that were collected meanwhile too. */
async function allocatedBy(run: () => Promise<unknown>): Promise<number> {
  const session = new Session()
  session.connect()
  await session.post('HeapProfiler.startSampling', {
    samplingInterval: 4096,
    includeObjectsCollectedByMajorGC: true,
    includeObjectsCollectedByMinorGC: true,
  })
  await run()
  const { profile } = await session.post('HeapProfiler.stopSampling')
  session.disconnect()
  let sum = 0
  const add = (node: typeof profile.head): void => {
    sum += node.selfSize
    node.children.forEach(add)
  }
  add(profile.head)
  return sum
}
