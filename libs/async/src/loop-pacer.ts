import { performance } from 'node:perf_hooks'

/** The event loop of a thread, as LoopPacer needs it. */
export interface PacedLoop {
  /** Monotonic, ms with fractions. */
  now(): number
  /** What the loop has done so far: its iterations, and the events (readable sockets and such) that it handled in them. */
  counts(): { readonly iterations: number; readonly events: number }
  /** Calls `step` once, after the reads of the next iteration. Until then the loop does not wait for events. */
  afterReads(step: () => void): void
  /** Blocks the thread for `ms`, which may have a fraction. */
  block(ms: number): void
  /** Calls `sample` each `ms`, as long as something else keeps the process alive. The returned function ends that. */
  every(ms: number, sample: () => void): () => void
}

const SAMPLE_MS = 100
/** Iterations in a second, each with an event, above which the pacing begins: some 1,500 messages with a request to Kafka for each. */
const BEGIN_PER_SECOND = 3000
/** Part of the paced iterations that must have handled an event. Below it the pacing ends, at some 400 messages a second. */
const MIN_USED = 0.6

/**
 * Lets a busy event loop turn at most once each `intervalMs`, so that it reads what has arrived, and sends what that made, in bunches.
 * Network cards moderate their interrupts in the same way. A loop that turns seldom is left alone, and so is an iteration that
 * itself takes `intervalMs`: neither a quiet stream nor a full one waits.
 *
 * The thread is blocked for the rest of the interval, since timers know whole ms only, and sockets can be paused only one by one.
 */
export class LoopPacer {
  readonly #intervalMs: number
  readonly #loop: PacedLoop
  readonly #endSampling: () => void
  #active = false
  #sampledAt: number
  /** Iterations of the loop at the last sample. */
  #iterations: number
  /** Events of the loop at the last sample, or at the last paced iteration. */
  #events: number
  /** When the last paced iteration ended. */
  #pacedAt = 0
  /** Paced iterations since the last sample, and those among them that handled an event. */
  #paced = 0
  #used = 0

  constructor(intervalMs: number, loop: PacedLoop = loopOfThisThread) {
    this.#intervalMs = intervalMs
    this.#loop = loop
    this.#sampledAt = loop.now()
    const { iterations, events } = loop.counts()
    this.#iterations = iterations
    this.#events = events
    this.#endSampling = loop.every(SAMPLE_MS, () => this.#sample())
  }

  /** Whether the loop is being paced. */
  get active(): boolean {
    return this.#active
  }

  stop(): void {
    this.#endSampling()
    this.#active = false
  }

  #sample(): void {
    const now = this.#loop.now()
    const { iterations, events } = this.#loop.counts()
    const busy = Math.min(iterations - this.#iterations, events - this.#events)
    const perSecond = (busy * 1000) / (now - this.#sampledAt)
    const isUsed = this.#used >= this.#paced * MIN_USED
    this.#sampledAt = now
    this.#iterations = iterations
    this.#events = events
    this.#paced = this.#used = 0
    if (this.#active) {
      this.#active = isUsed
    } else if (perSecond > BEGIN_PER_SECOND) {
      this.#active = true
      this.#pacedAt = now
      this.#loop.afterReads(this.#pace)
    }
  }

  readonly #pace = (): void => {
    if (!this.#active) return
    const { events } = this.#loop.counts()
    this.#paced++
    if (events > this.#events) this.#used++
    this.#events = events
    const restMs = this.#pacedAt + this.#intervalMs - this.#loop.now()
    if (restMs > 0) this.#loop.block(restMs)
    this.#pacedAt = this.#loop.now()
    this.#loop.afterReads(this.#pace)
  }
}

const neverWoken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))

const loopOfThisThread: PacedLoop = {
  now: () => performance.now(),
  counts: () => {
    const { loopCount: iterations, events } = performance.nodeTiming.uvMetricsInfo
    return { iterations, events }
  },
  afterReads: (step) => void setImmediate(step),
  block: (ms) => void Atomics.wait(neverWoken, 0, 0, ms),
  every: (ms, sample) => {
    const timer = setInterval(sample, ms).unref()
    return () => clearInterval(timer)
  },
}
