import type { Gate } from '@tributary/async'
import { type Clock, END_OF_INPUT, type Polled, type SourceTask } from '@tributary/connect-api'
import type { InFlight } from '../commit/in-flight.ts'
import type { BackgroundReconnect } from '../connection/background-reconnect.ts'
import type { Reconnector } from '../connection/reconnector.ts'
import type { Lease } from '../model/task.ts'
import type { TaskProgress } from '../model/task-progress.ts'
import { type Batch, countRecords } from '../records/batch.ts'
import type { BatchConverter } from '../records/batch-converter.ts'

export interface OffersParts {
  readonly task: Pick<SourceTask, 'poll'>
  readonly converter: Pick<BatchConverter, 'convertNow'>
  readonly inFlight: Pick<InFlight, 'hasRoom'>
  readonly progress: TaskProgress
  readonly clock: Clock
  /** The run takes nothing in any more. */
  readonly ends: () => boolean
  /** Another worker has the task. */
  readonly lost: () => boolean
  readonly resumed: Pick<Gate, 'isOpen'>
  readonly connection: Pick<Reconnector, 'connected'>
  readonly background: Pick<BackgroundReconnect, 'hasQueuedMessages'>
  readonly lease: Pick<Lease, 'valid'>
  readonly send: (batch: Batch) => void
  /** Ends the run. An error must not reach the code of the source that offers. */
  readonly fail: (error: unknown) => void
}

/**
 * Passes on what a source offers while `poll` waits, in the steps of the run but in one call: no promise is made, and the waiting poll
 * goes on. What a step would have to wait for, or fail at, `poll` returns instead, and the run does it.
 */
export class Offers {
  readonly #parts: OffersParts
  /** The poll of the task whose answer was not returned yet. */
  #polling: Promise<Polled[] | typeof END_OF_INPUT> | null = null
  /** `#polling` has an answer. */
  #answered = false
  /** Taken and not passed on: the answer of the next poll, before that of `#polling`. */
  #kept: Polled[] | null = null
  /** Ends the wait of `poll`; null: nobody waits. */
  #wake: (() => void) | null = null

  constructor(parts: OffersParts) {
    this.#parts = parts
  }

  /** Polls the task. */
  async poll(signal: AbortSignal): Promise<Polled[] | typeof END_OF_INPUT> {
    // A poll from before the source was connected again does not tell what has been queued since.
    const isOld = this.#polling !== null && this.#parts.background.hasQueuedMessages
    const answer = await this.#pollOnce(signal)
    return isOld && answer !== END_OF_INPUT && answer.length === 0 ? this.#pollOnce(signal) : answer
  }

  async #pollOnce(signal: AbortSignal): Promise<Polled[] | typeof END_OF_INPUT> {
    const kept = this.#takeKept()
    if (kept !== null) return kept
    const polling = (this.#polling ??= this.#begin(signal))
    if (!this.#answered) await new Promise<void>((resolve) => (this.#wake = resolve))
    const answer = this.#takeKept()
    if (answer !== null) return answer
    this.#polling = null
    return polling
  }

  /** A poll of a busy source may wait for ever. So it is listened to once: each listener would keep the records that ended its wait. */
  #begin(signal: AbortSignal): Promise<Polled[] | typeof END_OF_INPUT> {
    const answered = (): void => {
      this.#answered = true
      this.#endWait()
    }
    this.#answered = false
    const polling = this.#parts.task.poll(signal)
    polling.then(answered, answered)
    return polling
  }

  #endWait(): void {
    const wake = this.#wake
    this.#wake = null
    wake?.()
  }

  /** See TaskContext. */
  readonly offer = (take: () => Polled[]): boolean => {
    if (this.#wake === null || this.#kept !== null || !this.#ready) return false
    try {
      const polled = take()
      if (polled.length > 0 && !this.#passOn(polled)) {
        this.#kept = polled
        this.#endWait()
      }
    } catch (error) {
      this.#parts.fail(error)
    }
    return true
  }

  /** Whether nothing holds up a record that comes now. */
  get #ready(): boolean {
    const { ends, lost, resumed, connection, background, lease, inFlight } = this.#parts
    if (ends() || !resumed.isOpen || !connection.connected || background.hasQueuedMessages) return false
    return inFlight.hasRoom && (lost() || lease.valid())
  }

  #passOn(polled: Polled[]): boolean {
    const { converter, progress, clock, send } = this.#parts
    const batch = converter.convertNow(polled)
    if (batch === null) return false
    progress.polled(countRecords(polled), clock.now())
    send(batch)
    return true
  }

  #takeKept(): Polled[] | null {
    const kept = this.#kept
    this.#kept = null
    return kept
  }
}
