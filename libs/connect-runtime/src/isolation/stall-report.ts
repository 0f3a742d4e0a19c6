import { unpackConnection } from '@tributary/config'
import { connectorStatusRecord, type StatusEntry, taskStatusRecord } from '@tributary/connect-storage'
import { createProducer, type KafkaProducer, partitionForKey } from '@tributary/kafka-producer'
import { createLogger } from '@tributary/telemetry'
import type { Holder } from './held-callback.ts'
import type { ScopedUnit } from './plugin-scope.ts'
import { loopNotReturned } from './stall-errors.ts'

/** Data that a report needs, in a form that can be passed to a thread. */
export interface ReportTarget {
  /** Made by packConnection. */
  readonly connection: string
  readonly statusTopic: string
  /** host:port of the admin server. */
  readonly workerId: string
}

const NEVER = new AbortController().signal

/**
 * Reports the code that holds the event loop before the process is ended: a line in the log, and the status FAILED of the
 * holder's unit with the count of such ends. The report runs in a thread, because the main thread stands still. Its own
 * producer connects at once, so that `write` takes one request.
 */
export class StallReport {
  readonly #target: ReportTarget
  readonly #log = createLogger({ name: 'io.tributary.connect.runtime' })
  readonly #producer: KafkaProducer
  readonly #partitions: Promise<number>

  constructor(target: ReportTarget) {
    this.#target = target
    this.#producer = createProducer(unpackConnection(target.connection), { driver: 'tributary' })
    this.#partitions = this.#producer.start(NEVER).then(() => this.#producer.partitionCount(target.statusTopic, NEVER))
    // Only a report with a status awaits this, and gets the error.
    this.#partitions.catch(() => undefined)
  }

  /**
   * Writes the log, and resolves once Kafka has the status; the caller limits the time. `holder` is null when the main thread
   * did not answer. `unit` is null when no unit is to blame. `heldMs`: how long the loop has stood still.
   */
  async write(holder: Holder | null, unit: ScopedUnit | null, heldMs: number): Promise<void> {
    const by = holder === null ? 'unknown: native code that cannot be interrupted' : (holder.name ?? 'the runtime')
    const stalls = unit === null ? undefined : unit.stalls + 1
    const stack = holder?.stack ?? ''
    this.#log.error('event_loop_not_returned', { by, held_ms: Math.round(heldMs), stalls, stack })
    if (unit === null || stalls === undefined) return
    const { statusTopic: topic, workerId } = this.#target
    const trace = loopNotReturned(by, heldMs, stalls, stack)
    const { key, value } = statusRecord(unit, { state: 'FAILED', trace, workerId, generation: unit.generation, stalls })
    const bytes = Buffer.from(key)
    const partition = partitionForKey(bytes, await this.#partitions)
    const record = { topic, partition, key: bytes, value, timestamp: Date.now() }
    const { failures } = await this.#producer.send([record], NEVER)
    if (failures[0]) this.#log.error('status_write_failed', { error: failures[0].error })
  }

  close(): Promise<void> {
    return this.#producer.close()
  }
}

function statusRecord({ connector, task }: ScopedUnit, status: StatusEntry) {
  return task === null ? connectorStatusRecord(connector, status) : taskStatusRecord(connector, task, status)
}
