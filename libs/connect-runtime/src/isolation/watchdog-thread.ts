import { globSync, readFileSync, writeSync } from 'node:fs'
import { Session } from 'node:inspector'
import { enableCompileCache } from 'node:module'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import type { WatchdogData } from './event-loop-watchdog.ts'
import type { Holder } from './held-callback.ts'
import type { StallReport } from './stall-report.ts'

// The thread of EventLoopWatchdog. It loads little until it has something to report, so that it takes little memory.

const { beats, waitedMs, tickMs, stallMs, sessionTimeoutMs, question, target } = workerData as WatchdogData

/** Ticks without a turn of the loop after which the main thread is asked. A process that was stopped misses one or two. */
const MISSED_TICKS = 3
/** The main thread is asked again when it has spent this much more, as a question takes about half a millisecond of it. */
const ASK_AGAIN_MS = stallMs / 20
/** Without a turn for this long the report connects to Kafka … */
const PREPARE_MS = sessionTimeoutMs * 0.4
/** … and the process is ended before the lease of its work is over (at 0.85 of the session), … */
const END_MS = sessionTimeoutMs * 0.7
/** … if one callback has spent this much, as on a busy machine it cannot have spent more by then … */
const END_SPENT_MS = stallMs / 10
/** … or all callbacks of the turn together that much. */
const TURN_SPENT_MS = sessionTimeoutMs * 2
/** A later status could hide that of the next owner: the session is over soon. */
const LATEST_STATUS_MS = sessionTimeoutMs * 0.9
const REPORT_MS = sessionTimeoutMs * 0.1
/** The code that waited for a child process answers within this time when the child has ended. */
const ANSWER_MS = 1000

/** A turn of the loop, of which the thread knows only that it is not over. */
class Turn {
  readonly beat: number
  readonly startedAt = performance.now()
  missedTicks = 0
  /** CPU time and synchronous waits of the main thread since the loop was found to be late. */
  spentMs = 0
  /** `spentMs` at the last question. */
  askedAt = -Infinity
  /** Resolves with the answer to the question that is open; null: none is. */
  question: Promise<void> | null = null
  holder: Holder | null = null
  report: Promise<StallReport> | null = null
  #main: MainThread | null = null

  constructor(beat: number) {
    this.beat = beat
  }

  /** Is one callback to blame for the end of the process? */
  get blamed(): boolean {
    return this.holder !== null && this.holder.spentMs >= END_SPENT_MS
  }

  get mustEnd(): boolean {
    // Native code cannot be interrupted, so that the question stays open.
    const native = this.question !== null && this.spentMs >= this.askedAt + stallMs
    return this.blamed || native || this.spentMs >= TURN_SPENT_MS
  }

  /** Adds what the main thread did in the last `elapsedMs`: CPU time, or a wait if it slept at both ends. */
  measure(elapsedMs: number): void {
    const last = this.#main
    const main = mainThread()
    this.#main = main
    if (last === null) return
    this.spentMs += main.cpuMs - last.cpuMs
    if (!last.sleeps || !main.sleeps) return
    // This thread may come late, or have been stopped with the whole process.
    const waited = Math.round(Math.min(elapsedMs, 2 * tickMs))
    this.spentMs += waited
    Atomics.add(waitedMs, 0, waited)
  }

  ask(): void {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.question = promise
    this.askedAt = this.spentMs
    const session = new Session()
    session.connectToMainThread()
    const expression = `${question}(${Atomics.load(waitedMs, 0)})`
    session.post('Runtime.evaluate', { expression, returnByValue: true }, (error, answer) => {
      const value: unknown = answer?.result.value
      if (error === null && typeof value === 'string') this.holder = JSON.parse(value) as Holder
      this.question = null
      session.disconnect()
      resolve()
    })
  }
}

interface MainThread {
  /** It waits in a system call (state S), neither for a CPU (R) nor for a disk or memory (D). */
  readonly sleeps: boolean
  /** In steps of 10 ms. */
  readonly cpuMs: number
}

/** From Linux' /proc (proc_pid_stat(5)). Elsewhere time that passes stands for CPU time, and waits are not seen. */
function mainThread(): MainThread {
  try {
    const fields = statFields(`/proc/self/task/${process.pid}`)
    return { sleeps: fields[0] === 'S', cpuMs: 10 * (Number(fields[11]) + Number(fields[12])) }
  } catch {
    return { sleeps: false, cpuMs: performance.now() }
  }
}

/** The fields after the name: state, parent, 9 others, utime and stime in 1/100 s. */
function statFields(folder: string): string[] {
  const stat = readFileSync(`${folder}/stat`, 'latin1')
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}

let turn = new Turn(-1)
let tickedAt = performance.now()
let timer = setInterval(tick, tickMs)

function tick(): void {
  const now = performance.now()
  const elapsedMs = now - tickedAt
  tickedAt = now
  const beat = Atomics.load(beats, 0)
  if (beat !== turn.beat) {
    turn.report?.then((report) => report.close()).catch(() => undefined)
    turn = new Turn(beat)
    return
  }
  if (++turn.missedTicks < MISSED_TICKS) return
  turn.measure(elapsedMs)
  if (turn.question === null && turn.spentMs >= turn.askedAt + ASK_AGAIN_MS) turn.ask()
  const heldMs = now - turn.startedAt
  if (heldMs >= PREPARE_MS && turn.spentMs >= END_SPENT_MS) turn.report ??= prepareReport()
  if (heldMs >= END_MS && turn.mustEnd) void end(turn)
}

async function end(ended: Turn): Promise<void> {
  clearInterval(timer)
  if (!ended.blamed && ended.question !== null) {
    endDescendants()
    await Promise.race([ended.question, sleep(ANSWER_MS)])
  }
  await Promise.race([report(ended), sleep(REPORT_MS)])
  // As long as nobody is blamed the process may go on, if its loop has returned after all.
  if (ended.blamed || Atomics.load(beats, 0) === ended.beat) process.kill(process.pid, 'SIGKILL')
  else timer = setInterval(tick, tickMs)
}

async function report({ holder, blamed, startedAt, report }: Turn): Promise<void> {
  const heldMs = performance.now() - startedAt
  const unit = blamed && heldMs < LATEST_STATUS_MS ? holder!.unit : null
  try {
    await (await (report ?? prepareReport())).write(holder, unit, heldMs)
  } catch (error) {
    // What threads print goes through the main thread, which stands still.
    writeSync(2, `the event loop does not return, and its holder cannot be told: ${String(error)}\n`)
  }
}

async function prepareReport(): Promise<StallReport> {
  // The main thread's cache holds what is imported here, and does not reach over into other threads.
  enableCompileCache()
  const { StallReport } = await import('./stall-report.ts')
  return new StallReport(target)
}

/** A synchronous call that waits for a child process returns when the child is ended: then its caller can be asked. */
function endDescendants(): void {
  const parents = new Map(globSync('/proc/[0-9]*').map((folder) => [Number(basename(folder)), parentOf(folder)]))
  const isOurs = (pid: number): boolean => {
    const parent = parents.get(pid) ?? 0
    return parent === process.pid || (parent > 1 && isOurs(parent))
  }
  for (const pid of parents.keys()) {
    try {
      if (isOurs(pid)) process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended meanwhile, or is not ours to end.
    }
  }
}

/** 0: the process has ended meanwhile. */
function parentOf(folder: string): number {
  try {
    return Number(statFields(folder)[1])
  } catch {
    return 0
  }
}
