import { executionAsyncId } from 'node:async_hooks'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { type KafkaConnection, packConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import { HeldCallback, type Holder, threadCpuMs } from './held-callback.ts'
import { beforePluginCode, currentScope, runInScope } from './plugin-scope.ts'
import { loopHeld } from './stall-errors.ts'
import type { ReportTarget } from './stall-report.ts'

export interface WatchdogOptions {
  /** ms that one callback may compute, or wait synchronously, before its unit is FAILED. At most half of the session counts. */
  readonly stallMs: number
  /** Session timeout of the group in ms: the thread ends a stalled process before other workers take its work over. */
  readonly sessionTimeoutMs: number
  readonly connection: KafkaConnection
  readonly statusTopic: string
  /** host:port of the admin server. */
  readonly workerId: string
  readonly log: Logger
}

/** Data that the main thread gives to the thread. */
export interface WatchdogData {
  /** One element. The main thread increments it each `tickMs`. */
  readonly beats: Int32Array
  /** One element: ms of the main thread's synchronous waits that the thread has seen. */
  readonly waitedMs: Int32Array
  readonly tickMs: number
  readonly stallMs: number
  readonly sessionTimeoutMs: number
  /** Expression of a global function. The main thread evaluates `question(waitedMs)`, which returns a Holder as JSON. */
  readonly question: string
  readonly target: ReportTarget
}

const STACK_LINES = 30
/** Node's functions that wait for a child process. The inspector cannot interrupt such a wait, so the answer comes after it. */
const WAITS_FOR_CHILD = /^ {4}at (spawnSync|execSync|execFileSync|checkExecSyncError) \(node:/m

/**
 * Finds the task whose code holds the event loop of this process. A thread (watchdog-thread.ts) notices that the loop does not
 * turn, and questions the main thread through V8's inspector, which interrupts even an endless loop. The thread attaches the
 * inspector only for a question, and the inspector opens no port. A thread takes some 15 MiB, so it starts when a plugin's code
 * first runs: a process without a task has none.
 *
 * A callback is charged with what the main thread spent in it: CPU time, without collections of the whole heap, and
 * synchronous waits. Time in which the machine did not let the main thread run is charged to nobody. A unit that spends
 * `stallMs` in one callback fails when the loop turns again. When the loop does not turn in time, the thread ends the process.
 */
export class EventLoopWatchdog {
  readonly #log: Logger
  readonly #stallMs: number
  readonly #question = Symbol.for(`tributary.event-loop-holder.${crypto.randomUUID()}`)
  readonly #beats = sharedNumber()
  readonly #waitedMs = sharedNumber()
  readonly #workerData: WatchdogData
  #timer: NodeJS.Timeout | null = null
  /** null: not started yet, or stopped. */
  #thread: Worker | null = null
  #stopped = false
  #beatAt = performance.now()
  #cpuMs = threadCpuMs()
  /** The callback that the questions found in this turn of the loop. */
  #found: HeldCallback | null = null

  constructor({ sessionTimeoutMs, connection, statusTopic, workerId, log, ...options }: WatchdogOptions) {
    this.#log = log
    const stallMs = (this.#stallMs = Math.min(options.stallMs, sessionTimeoutMs / 2))
    const tickMs = Math.max(10, Math.min(stallMs / 50, 100))
    const question = `globalThis[Symbol.for(${JSON.stringify(this.#question.description)})]`
    const target = { workerId, statusTopic, connection: packConnection(connection) }
    const shared = { beats: this.#beats, waitedMs: this.#waitedMs }
    this.#workerData = { ...shared, tickMs, stallMs, sessionTimeoutMs, question, target }
    Reflect.set(globalThis, this.#question, (waitedMs: number) => JSON.stringify(this.#answer(waitedMs)))
    beforePluginCode(() => this.#start())
  }

  async stop(): Promise<void> {
    this.#stopped = true
    if (this.#timer) clearInterval(this.#timer)
    await this.#thread?.terminate()
    Reflect.deleteProperty(globalThis, this.#question)
  }

  #start(): void {
    if (this.#stopped) return
    const workerData = this.#workerData
    this.#timer = setInterval(() => this.#beat(), workerData.tickMs).unref()
    const file = new URL(`./watchdog-thread${extname(import.meta.url)}`, import.meta.url)
    this.#thread = new Worker(file, { workerData, name: 'event-loop-watchdog' })
    this.#thread.on('error', (error) => this.#log.error('event_loop_watchdog_ended', { error }))
    this.#thread.unref()
  }

  #beat(): void {
    Atomics.add(this.#beats, 0, 1)
    const now = performance.now()
    const cpuMs = threadCpuMs()
    const heldMs = now - this.#beatAt
    const computedMs = cpuMs - this.#cpuMs
    this.#beatAt = now
    this.#cpuMs = cpuMs
    if (this.#found === null) return
    const { scope, stack, spentMs } = this.#found
    this.#found.close()
    this.#found = null
    if (heldMs < this.#stallMs) return
    const blamed = spentMs >= this.#stallMs
    const by = blamed ? (scope?.name ?? 'the runtime') : 'nobody in particular'
    const fields = { by, held_ms: Math.round(heldMs), cpu_ms: Math.round(computedMs), stack }
    this.#log[blamed ? 'error' : 'warn']('event_loop_held', fields)
    // To fail a task runs code of its plugin: the listeners of its signal.
    if (blamed && scope !== null) runInScope(scope, () => scope.fail(loopHeld(scope.name, heldMs, stack)))
  }

  /**
   * The inspector calls this inside the running code. So scope and async id are those of that code, and its frames lie below
   * this one. `waitedBefore`: ms of waits that the thread had seen when it asked.
   */
  #answer(waitedBefore: number): Holder {
    const scope = currentScope()
    const id = executionAsyncId()
    const stack = callers()
    const waitedMs = Atomics.load(this.#waitedMs, 0)
    let found = this.#found
    // Between two promise reactions there is no stack. A callback that has spent its time stays to blame, even when another
    // callback runs afterwards in the same turn.
    if (!found || !(found.is(scope, id) || stack === '' || found.spentMs >= this.#stallMs)) {
      found?.close()
      found = this.#found = new HeldCallback(scope, id, stack, WAITS_FOR_CHILD.test(stack) ? waitedBefore : waitedMs)
    }
    if (found.is(scope, id)) found.measure(waitedMs)
    return {
      name: found.scope?.name ?? null,
      unit: found.scope?.unit() ?? null,
      stack: found.stack,
      spentMs: found.spentMs,
    }
  }
}

function sharedNumber(): Int32Array {
  return new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
}

/** The lines of the stack below the inspector's evaluation. */
function callers(): string {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = STACK_LINES
  const lines = new Error().stack?.split('\n').filter((line) => line.startsWith('    at ')) ?? []
  Error.stackTraceLimit = limit
  return lines.slice(lines.findIndex((line) => line.includes('<anonymous>:1:')) + 1).join('\n')
}
