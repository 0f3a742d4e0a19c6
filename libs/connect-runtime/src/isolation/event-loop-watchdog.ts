import { executionAsyncId } from 'node:async_hooks'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { KafkaConnection } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import { type Holder, loopHeld } from './held-loop.ts'
import { currentScope, type PluginScope } from './plugin-scope.ts'
import { packConnection, type WatchdogData } from './watchdog-data.ts'

export interface WatchdogOptions {
  /** Longest time in ms that code may hold the event loop; at most half of the session counts. */
  readonly stallMs: number
  /** Session timeout of the group in ms: a process whose loop stands still ends before it, for others to take over. */
  readonly sessionTimeoutMs: number
  readonly connection: KafkaConnection
  readonly statusTopic: string
  /** host:port of the admin server. */
  readonly workerId: string
  readonly log: Logger
}

const TICK_MS = 250
const STACK_LINES = 30
/** Of the session timeout: it is asked each such time, and there must be time left to connect to Kafka … */
const ASK_SHARE = 0.2
/** … until the loop must have turned … */
const END_SHARE = 0.7
/** … and to write, before anything of this process is another worker's (the lease ends at 0.85). */
const LAST_WORDS_SHARE = 0.1
/** Of a standstill that somebody's code made; a thread that is merely not scheduled computes less. */
const COMPUTING_SHARE = 0.5
const CERTAIN_ANSWERS = 6
/** Of the time until it is asked: a process that was stopped and continued is asked nothing. */
const LONGEST_TICK_SHARE = 0.6

/**
 * Notices that the event loop of this process does not turn. A thread of its own sees it while it lasts, and asks the main
 * thread by V8's inspector, which interrupts even an endless loop, on whose behalf it runs and where. Nothing is attached
 * until then, and no port is opened. It asks again, so that nobody is blamed who just happened to have his turn. When the
 * loop turns again the one who held it fails; when it does not in time, the thread writes that into the status topic and
 * ends the process.
 */
export class EventLoopWatchdog {
  readonly #log: Logger
  readonly #stallMs: number
  readonly #question = Symbol.for(`tributary.event-loop-holder.${crypto.randomUUID()}`)
  readonly #beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  readonly #timer: NodeJS.Timeout
  readonly #thread: Worker
  #beatAt = performance.now()
  #computedMs = threadCpuMs()
  /** What the thread's questions have found, until the loop turns. */
  #held: Held | null = null

  constructor(options: WatchdogOptions) {
    const { sessionTimeoutMs, connection, log } = options
    this.#log = log
    this.#stallMs = Math.min(options.stallMs, sessionTimeoutMs / 2)
    // Twice before anyone is blamed.
    const askMs = Math.min(this.#stallMs / 2, sessionTimeoutMs * ASK_SHARE)
    const tickMs = Math.min(askMs / 10, TICK_MS)
    Reflect.set(globalThis, this.#question, () => JSON.stringify(this.#answer()))
    const data: WatchdogData = {
      beats: this.#beats,
      tickMs,
      askMs,
      endMs: sessionTimeoutMs * END_SHARE,
      lastWordsMs: sessionTimeoutMs * LAST_WORDS_SHARE,
      longestTickMs: askMs * LONGEST_TICK_SHARE,
      question: `globalThis[Symbol.for(${JSON.stringify(this.#question.description)})]()`,
      report: { workerId: options.workerId, statusTopic: options.statusTopic, connection: packConnection(connection) },
    }
    this.#timer = setInterval(() => this.#beat(), tickMs).unref()
    this.#thread = new Worker(threadFile(), { workerData: data, name: 'event-loop-watchdog' })
    this.#thread.on('error', (error) => log.error('event_loop_watchdog_ended', { error }))
    this.#thread.unref()
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#thread.terminate()
    Reflect.deleteProperty(globalThis, this.#question)
  }

  #beat(): void {
    Atomics.add(this.#beats, 0, 1)
    const now = performance.now()
    const heldMs = now - this.#beatAt
    const held = this.#held
    const cpuMs = threadCpuMs()
    const computedMs = cpuMs - this.#computedMs
    this.#beatAt = now
    this.#computedMs = cpuMs
    this.#held = null
    if (held === null || heldMs < this.#stallMs) return
    const { scope, stack, certain } = held
    const by = certain ? (scope?.name ?? 'the runtime') : 'nobody in particular'
    const fields = { by, held_ms: Math.round(heldMs), cpu_ms: Math.round(computedMs), stack }
    this.#log[certain ? 'error' : 'warn']('event_loop_held', fields)
    if (certain) scope?.fail(loopHeld(scope.name, heldMs, stack))
  }

  /** Called by the thread in the midst of whatever runs: its scope is the present one, and its frames lie below ours. */
  #answer(): Holder {
    const found = { scope: currentScope(), callback: executionAsyncId(), stack: callers() }
    const { scope, stack, certain } = this.#found(found)
    return { name: scope?.name ?? null, unit: scope?.unit() ?? null, stack, certain }
  }

  /**
   * Whoever is found in one callback twice has held the loop in between, if he computed, or stayed where he was: on a machine
   * that gives this process little CPU a callback may take its seconds all the same, and must be found more often.
   */
  #found(found: Pick<Held, 'scope' | 'callback' | 'stack'>): Held {
    const held = this.#held
    if (held?.scope === found.scope && held.callback === found.callback) {
      held.answers++
      held.moved ||= held.stack !== found.stack
      const computing = threadCpuMs() - this.#computedMs >= COMPUTING_SHARE * (performance.now() - this.#beatAt)
      held.certain ||= computing || !held.moved || held.answers >= CERTAIN_ANSWERS
      return held
    }
    // A question may come too late, when the loop turns already.
    if (held?.certain) return held
    this.#held = { ...found, answers: 1, moved: false, certain: false }
    return this.#held
  }
}

interface Held {
  readonly scope: PluginScope | null
  /** Id of the callback of the event loop that runs, of which promises are a part. */
  readonly callback: number
  readonly stack: string
  answers: number
  /** Not all answers came from one point. */
  moved: boolean
  certain: boolean
}

/** CPU time of the main thread so far, in ms. */
function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** The stack below the inspector's evaluation. */
function callers(): string {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = STACK_LINES
  const lines = new Error().stack?.split('\n').filter((line) => line.startsWith('    at ')) ?? []
  Error.stackTraceLimit = limit
  return lines.slice(lines.findIndex((line) => line.includes('<anonymous>:1:')) + 1).join('\n')
}

/** Beside this file, compiled as this one is. */
function threadFile(): URL {
  return new URL(`./watchdog-thread${extname(import.meta.url)}`, import.meta.url)
}
