import { writeSync } from 'node:fs'
import { Session } from 'node:inspector'
import { extname } from 'node:path'
import { Worker, workerData } from 'node:worker_threads'
import type { Holder } from './held-loop.ts'
import type { LastWordsRequest } from './last-words-thread.ts'
import type { WatchdogData } from './watchdog-data.ts'

// The thread of EventLoopWatchdog. It loads nothing of Tributary, so that it takes little and is never late.

const { beats, tickMs, askMs, endMs, lastWordsMs, longestTickMs, question, report } = workerData as WatchdogData

/** One standstill, from its discovery on. */
interface Standstill {
  /** The last answer; null while there is none, as in native code that cannot be interrupted. */
  holder: Holder | null
  /** Time of the next question, in ms without a turn. */
  askAtMs: number
  /** A further thread, as loading what it needs takes this one's time. */
  readonly lastWords: Worker
}

let seen = -1
let heldMs = 0
let tickAt = performance.now()
let standstill: Standstill | null = null

let timer = setInterval(tick, tickMs)

function tick(): void {
  const now = performance.now()
  // When the process was stopped as a whole, or got no CPU, nobody held anything up: this thread stood still with it.
  const elapsedMs = Math.min(now - tickAt, longestTickMs)
  tickAt = now
  const beat = Atomics.load(beats, 0)
  if (beat !== seen) {
    seen = beat
    heldMs = 0
    void standstill?.lastWords.terminate()
    standstill = null
    return
  }
  heldMs += elapsedMs
  if (heldMs < askMs) return
  standstill ??= discover()
  if (heldMs >= standstill.askAtMs) ask(standstill)
  // One that answers differently each time works, if slowly: to end it would make work for the others, who have enough.
  if (heldMs >= endMs && standstill.holder?.certain !== false) end(standstill)
}

function discover(): Standstill {
  const file = new URL(`./last-words-thread${extname(import.meta.url)}`, import.meta.url)
  const lastWords = new Worker(file, { workerData: report, name: 'last-words' })
  lastWords.on('error', (error: unknown) => {
    // What threads print goes through the main thread, which stands still.
    writeSync(2, `the event loop does not return, and its holder cannot be told: ${String(error)}\n`)
  })
  return { holder: null, askAtMs: askMs, lastWords }
}

function ask(asked: Standstill): void {
  asked.askAtMs = heldMs + askMs
  const session = new Session()
  session.connectToMainThread()
  session.post('Runtime.evaluate', { expression: question, returnByValue: true }, (error, answer) => {
    const value: unknown = answer?.result.value
    if (error === null && typeof value === 'string') asked.holder = JSON.parse(value) as Holder
    session.disconnect()
  })
}

function end({ lastWords, holder }: Standstill): void {
  clearInterval(timer)
  const said = (): void => {
    clearTimeout(limit)
    lastWords.off('exit', said)
    // Of nobody nothing was written: it may go on if it has returned after all.
    if (holder === null && Atomics.load(beats, 0) !== seen) timer = setInterval(tick, tickMs)
    else process.kill(process.pid, 'SIGKILL')
  }
  const limit = setTimeout(said, lastWordsMs)
  lastWords.once('exit', said)
  lastWords.postMessage({ holder, heldMs } satisfies LastWordsRequest)
}
