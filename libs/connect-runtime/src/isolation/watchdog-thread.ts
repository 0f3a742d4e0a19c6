import { globSync, readFileSync, writeSync } from 'node:fs'
import { Session } from 'node:inspector'
import { enableCompileCache } from 'node:module'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { workerData } from 'node:worker_threads'
import type { WatchdogData } from './event-loop-watchdog.ts'
import type { Holder } from './held-callback.ts'
import type { StallReport } from './stall-report.ts'

// The thread of EventLoopWatchdog. To save memory, the thread loads the report's modules only when the loop stands still.

const { beats, waitedMs, tickMs, stallMs, sessionTimeoutMs, question, target } = workerData as WatchdogData

/** The thread asks after this many ticks without a turn of the loop. A process that was stopped misses one or two ticks. */
const MISSED_TICKS = 3
/** The thread asks again when the main thread has spent this much more, because a question costs it about half a ms. */
const ASK_AGAIN_MS = stallMs / 20
/** After this long without a turn the report connects to Kafka. */
const PREPARE_MS = sessionTimeoutMs * 0.4
/** After this long without a turn the process may be ended: before its lease is over (at 0.85 of the session). */
const END_MS = sessionTimeoutMs * 0.7
/** The process is ended when one callback has spent this much. On a busy machine a callback cannot have spent more by then. */
const END_SPENT_MS = stallMs / 10
/** The process is also ended when all callbacks of the turn together have spent this much. */
const TURN_SPENT_MS = sessionTimeoutMs * 2
/** After this long the report writes no status: the session is almost over, and the status could hide the next owner's. */
const STATUS_DEADLINE_MS = sessionTimeoutMs * 0.9
const REPORT_MS = sessionTimeoutMs * 0.1
/** When a child process has ended, the code that waited for the child answers within this time. */
const ANSWER_MS = 1000

/** The current turn of the main thread's event loop. */
class Turn {
  readonly beat: number
  readonly startedAt = performance.now()
  missedTicks = 0
  /** ms of CPU time and synchronous waits of the main thread since the loop missed its ticks. */
  spentMs = 0
  /** `spentMs` at the last question. */
  askedAt = -Infinity
  /** Resolves when the main thread has answered the open question; null: no question is open. */
  question: Promise<void> | null = null
  holder: Holder | null = null
  report: Promise<StallReport> | null = null
  #main: MainThread | null = null

  constructor(beat: number) {
    this.beat = beat
  }

  /** Whether one callback is to blame for the end of the process. */
  get blamed(): boolean {
    return this.holder !== null && this.holder.spentMs >= END_SPENT_MS
  }

  get mustEnd(): boolean {
    // A question cannot interrupt native code, so it stays open.
    const native = this.question !== null && this.spentMs >= this.askedAt + stallMs
    return this.blamed || native || this.spentMs >= TURN_SPENT_MS
  }

  /** Adds the main thread's CPU time of the last `elapsedMs`, and a wait if the main thread slept at both ends. */
  measure(elapsedMs: number): void {
    const last = this.#main
    const main = mainThread()
    this.#main = main
    if (last === null) return
    this.spentMs += main.cpuMs - last.cpuMs
    if (!last.sleeps || !main.sleeps) return
    // `elapsedMs` can exceed the wait: this thread may have waited for a CPU, or the whole process may have been stopped.
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
  /** The main thread waits in a system call (state S), neither for a CPU (R) nor for a disk or memory (D). */
  readonly sleeps: boolean
  /** CPU time so far in ms, in steps of 10 ms. */
  readonly cpuMs: number
}

/** Reads Linux' /proc (proc_pid_stat(5)). Other systems count elapsed time as CPU time, and never see a wait. */
function mainThread(): MainThread {
  try {
    const fields = statFields(`/proc/self/task/${process.pid}`)
    return { sleeps: fields[0] === 'S', cpuMs: 10 * (Number(fields[11]) + Number(fields[12])) }
  } catch {
    return { sleeps: false, cpuMs: performance.now() }
  }
}

/** The fields of proc_pid_stat(5) after the name: state, parent, 9 others, utime and stime in 1/100 s. */
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
  // While no callback is to blame, a process whose loop turns again may continue.
  if (ended.blamed || Atomics.load(beats, 0) === ended.beat) process.kill(process.pid, 'SIGKILL')
  else timer = setInterval(tick, tickMs)
}

async function report({ holder, blamed, startedAt, report }: Turn): Promise<void> {
  const heldMs = performance.now() - startedAt
  const unit = blamed && heldMs < STATUS_DEADLINE_MS ? holder!.unit : null
  try {
    await (await (report ?? prepareReport())).write(holder, unit, heldMs)
  } catch (error) {
    // The console of a thread prints through the main thread, which stands still.
    writeSync(2, `the event loop does not return, and the report about its holder failed: ${String(error)}\n`)
  }
}

async function prepareReport(): Promise<StallReport> {
  // Each thread must enable the compile cache itself. The main thread has cached the modules that are imported here. Without a
  // folder Node would take one in the system's temporary folder, where others may write.
  const cache = process.env['NODE_COMPILE_CACHE']
  if (cache) enableCompileCache(cache)
  const { StallReport } = await import('./stall-report.ts')
  return new StallReport(target)
}

/** Ends all descendants: a synchronous call that waits for a child process returns then, and its caller can answer. */
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
      // The process has ended meanwhile, or belongs to another user.
    }
  }
}

/** Pid of the parent; 0: the process has ended meanwhile. */
function parentOf(folder: string): number {
  try {
    return Number(statFields(folder)[1])
  } catch {
    return 0
  }
}
