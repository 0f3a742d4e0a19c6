import { connectorStatusRecord, type StatusEntry, taskStatusRecord } from '@tributary/connect-storage'
import { createProducer, type KafkaProducer, partitionForKey } from '@tributary/kafka-producer'
import { createLogger } from '@tributary/telemetry'
import { type Holder, loopNotReturned } from './held-loop.ts'
import type { ScopedUnit } from './plugin-scope.ts'
import { type ReportData, unpackConnection } from './watchdog-data.ts'

const NEVER = new AbortController().signal

/**
 * What a process says of the unit that holds its event loop before it ends: a line in the log, and a FAILED status with
 * the count of such ends. From a thread, as no other code of the process runs, with a producer of its own, which connects
 * at once, so that there is time when it is needed. Whoever made this ends the thread, and the tries to connect with it.
 */
export class LastWords {
  readonly #options: ReportData
  readonly #log = createLogger({ name: 'io.tributary.connect.runtime' })
  readonly #producer: KafkaProducer
  readonly #started: Promise<number>

  constructor(options: ReportData) {
    this.#options = options
    this.#producer = createProducer(unpackConnection(options.connection), { driver: 'platformatic' })
    this.#started = this.#start()
    // Awaited only if there is something to say.
    this.#started.catch(() => undefined)
  }

  /** Resolves once the status is written; the caller decides how long that may take. */
  async say(holder: Holder | null, heldMs: number): Promise<void> {
    const held_ms = Math.round(heldMs)
    if (holder?.unit) {
      const status = statusOf(holder.unit, this.#options.workerId, holder, heldMs)
      const record = statusRecord(holder.unit, status)
      this.#log.error('event_loop_not_returned', {
        by: holder.name,
        held_ms,
        stalls: status.stalls,
        stack: holder.stack,
      })
      await this.#write(record.key, record.value)
      return
    }
    const by = holder === null ? 'unknown: native code that cannot be interrupted' : (holder.name ?? 'the runtime')
    this.#log.error('event_loop_not_returned', { by, held_ms, stack: holder?.stack })
  }

  async #start(): Promise<number> {
    await this.#producer.start(NEVER)
    return await this.#producer.partitionCount(this.#options.statusTopic, NEVER)
  }

  async #write(key: string | Uint8Array, value: Uint8Array | null): Promise<void> {
    const bytes = Buffer.from(key)
    const partition = partitionForKey(bytes, await this.#started)
    const record = { topic: this.#options.statusTopic, partition, key: bytes, value, timestamp: Date.now() }
    const { failures } = await this.#producer.send([record], NEVER)
    if (failures[0]) this.#log.error('status_write_failed', { error: failures[0].error })
  }
}

function statusOf(
  unit: ScopedUnit,
  workerId: string,
  holder: Holder,
  heldMs: number,
): StatusEntry & { stalls: number } {
  const stalls = unit.stalls + 1
  const trace = loopNotReturned(holder.name ?? 'a unit', heldMs, stalls, holder.stack)
  return { state: 'FAILED', trace, workerId, generation: unit.generation, stalls }
}

function statusRecord({ connector, task }: ScopedUnit, status: StatusEntry) {
  return task === null ? connectorStatusRecord(connector, status) : taskStatusRecord(connector, task, status)
}
