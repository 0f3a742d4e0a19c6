import { type Clock, createTaskStats, MemoryBudget, type MemoryShare, type SourceRecord } from '@tributary/connect-api'
import { type LogLine, rememberingLog } from '@tributary/telemetry/testing'
import { Intake, type IntakeConnection, type OverflowPolicy } from './intake.ts'
import { RateLimitedLog } from './rate-limited-log.ts'
import type { Codec } from './spill/spill-parts.ts'

const codec: Codec<string> = { encode: (text) => Buffer.from(text), decode: String }
const clock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: () => Promise.reject(new Error('nothing sleeps here')),
}
export const never = new AbortController().signal
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

export async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`this did not become true within 20 s: ${String(condition)}`)
    await turn()
  }
}

/** An intake that spills, with a connection, in the hands of a test. Messages are numbers as text, of 4 bytes each. */
export interface Rig {
  readonly intake: Intake<string>
  readonly stats: ReturnType<typeof createTaskStats>
  readonly events: LogLine[]
  paused: boolean
  /** Ends the current connection. */
  end(): void
  /** Opens the next connection. */
  reopen(): void
  /** Pushes messages as one burst. */
  push(from: number, to: number): void
  /** Pushes one message of a burst that goes on. */
  pushOne(number: number): void
  /** Polls; Kafka acknowledges the records and commits their offsets at once. Returns the numbers. */
  deliver(max?: number): Promise<number[]>
  /** Polls; Kafka acknowledges no record. Returns the numbers. */
  poll(max?: number): Promise<number[]>
}

export interface RigOptions {
  /** Default: a spill to `dir`. */
  readonly overflow?: OverflowPolicy<string>
  readonly memory?: MemoryShare
  readonly offer?: () => boolean
}

export function createRig(dir: string, maxBytes = 10_000_000, maxRecords = 10, options: RigOptions = {}): Rig {
  const stats = createTaskStats()
  const events: Rig['events'] = []
  const log = rememberingLog(events)
  const rig = { paused: false }
  const intake = new Intake<string>({
    maxRecords,
    maxBytes: 1_000_000,
    overflow: options.overflow ?? { dir, maxBytes, codec, log },
    stats,
    memory: options.memory ?? new MemoryBudget(Infinity).share(),
    clock,
    busyLog: new RateLimitedLog(log, clock),
    offer: options.offer,
  })
  const open = (): IntakeConnection<string> => {
    const connection = intake.open()
    connection.attach({ pause: () => void (rig.paused = true), resume: () => void (rig.paused = false) })
    return connection
  }
  const opened = { connection: open() }
  const poll = async (max = 7): Promise<{ numbers: number[]; records: SourceRecord[] }> => {
    const messages = (await intake.take(max, 0, never)) ?? []
    const records = messages.map((value) => recordOf(value))
    intake.handedOut(records)
    return { numbers: messages.map(Number), records }
  }
  return Object.assign(rig, {
    intake,
    stats,
    events,
    end: () => opened.connection.ended(new Error('the connection ended')),
    reopen: () => void (opened.connection = open()),
    push: (from: number, to: number) => {
      for (let i = from; i < to; i++) opened.connection.push(String(i), 4)
      opened.connection.received(to - from, 4 * (to - from))
    },
    pushOne: (number: number) => opened.connection.push(String(number), 4),
    poll: async (max?: number) => (await poll(max)).numbers,
    deliver: async (max?: number) => {
      const { numbers, records } = await poll(max)
      intake.delivered(records)
      await intake.committed()
      return numbers
    },
  })
}

export async function deliverAll(rig: Rig): Promise<number[]> {
  const all: number[] = []
  for (let misses = 0; misses < 3;) {
    const numbers = await rig.deliver()
    all.push(...numbers)
    if (numbers.length > 0) misses = 0
    else misses++
    await turn()
  }
  return all
}

export const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

function recordOf(value: string): SourceRecord {
  return { sourcePartition: {}, sourceOffset: {}, topic: 't', key: null, value, timestamp: null }
}
