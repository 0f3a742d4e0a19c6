import { GCProfiler } from 'node:v8'
import type { PluginScope, ScopedUnit } from './plugin-scope.ts'

/** The main thread's answer to a question: the code that holds its event loop. */
export interface Holder {
  /** `name` of the PluginScope; null: code of the runtime. */
  readonly name: string | null
  readonly unit: ScopedUnit | null
  /** Lines of the stack, innermost first. */
  readonly stack: string
  /** ms that the main thread has spent in this callback since a question first found the callback. */
  readonly spentMs: number
}

/** CPU time of this thread so far, in ms. */
export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** A callback of the event loop with the promise reactions that follow it. Measures what the main thread spends in both. */
export class HeldCallback {
  /** null: code of the runtime. */
  readonly scope: PluginScope | null
  /** The stack at the question that found the callback first. */
  readonly stack: string
  /** ms of CPU time, without collections of the whole heap, and of synchronous waits since that question. */
  spentMs = 0
  readonly #id: number
  readonly #profiler = new GCProfiler()
  #cpuMs = threadCpuMs()
  #waitedMs: number

  /**
   * `id`: the async id (async_hooks) of the callback. Successive reads of one socket within a turn have the same id.
   * `waitedFrom`: ms of the main thread's synchronous waits before this callback.
   */
  constructor(scope: PluginScope | null, id: number, stack: string, waitedFrom: number) {
    this.scope = scope
    this.stack = stack
    this.#id = id
    this.#waitedMs = waitedFrom
    this.#profiler.start()
  }

  is(scope: PluginScope | null, id: number): boolean {
    return this.scope === scope && this.#id === id
  }

  /** Called while the callback runs. `waitedMs`: ms of the main thread's synchronous waits so far. */
  measure(waitedMs: number): void {
    const cpuMs = threadCpuMs()
    const spentMs = cpuMs - this.#cpuMs + waitedMs - this.#waitedMs
    this.#cpuMs = cpuMs
    this.#waitedMs = waitedMs
    // The code that allocates causes collections of the young generation, so they count. Collections of the whole heap do
    // not: subtract their wall time, which is at least their CPU time.
    const collections = this.#profiler.stop()?.statistics ?? []
    this.#profiler.start()
    const whole = collections.filter(({ gcType }) => gcType !== 'Scavenge')
    this.spentMs += Math.max(0, spentMs - whole.reduce((sum, { cost }) => sum + cost / 1000, 0))
  }

  close(): void {
    this.#profiler.stop()
  }
}
