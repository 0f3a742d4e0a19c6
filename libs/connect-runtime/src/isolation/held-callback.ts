import { GCProfiler } from 'node:v8'
import type { PluginScope, ScopedUnit } from './plugin-scope.ts'

/** What the main thread answers when a question interrupts it: who holds its event loop. */
export interface Holder {
  /** As PluginScope has it; null: code of the runtime. */
  readonly name: string | null
  readonly unit: ScopedUnit | null
  /** Lines of a stack, innermost first. */
  readonly stack: string
  /** ms that the main thread has spent in this one callback since it was first found there. */
  readonly spentMs: number
}

/** CPU time of this thread so far, in ms. */
export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** A callback of the event loop, with the promise reactions that follow it, and what the thread has spent in it. */
export class HeldCallback {
  /** null: code of the runtime. */
  readonly scope: PluginScope | null
  /** Where it was found first. */
  readonly stack: string
  /** ms of CPU time, without collections of the whole heap, and of synchronous waits since it was found first. */
  spentMs = 0
  readonly #id: number
  readonly #profiler = new GCProfiler()
  #cpuMs = threadCpuMs()
  #waitedMs: number

  /**
   * `id`: its async_hooks' id. Reads of one socket that follow each other within a turn have the same.
   * `waitedFrom`: ms of synchronous waits that are not its own.
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

  /** Called in the midst of it. `waitedMs`: synchronous waits of the thread so far. */
  measure(waitedMs: number): void {
    const cpuMs = threadCpuMs()
    const spentMs = cpuMs - this.#cpuMs + waitedMs - this.#waitedMs
    this.#cpuMs = cpuMs
    this.#waitedMs = waitedMs
    // A collection of the young generation is the work of who allocates. One of the whole heap is nobody's: its wall time, which
    // is at least its CPU time, is taken off.
    const collections = this.#profiler.stop()?.statistics ?? []
    this.#profiler.start()
    const whole = collections.filter(({ gcType }) => gcType !== 'Scavenge')
    this.spentMs += Math.max(0, spentMs - whole.reduce((sum, { cost }) => sum + cost / 1000, 0))
  }

  close(): void {
    this.#profiler.stop()
  }
}
