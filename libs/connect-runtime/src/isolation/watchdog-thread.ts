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
  holder: Holder | null
  /** A further thread, as loading what it needs takes this one's time. */
  readonly lastWords: Worker
}

let seen = -1
let heldMs = 0
let tickAt = performance.now()
let standstill: Standstill | null = null

const timer = setInterval(tick, tickMs)

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
  if (heldMs >= askMs) standstill ??= discover()
  if (heldMs >= endMs && standstill) end(standstill)
}

function discover(): Standstill {
  const file = new URL(`./last-words-thread${extname(import.meta.url)}`, import.meta.url)
  const lastWords = new Worker(file, { workerData: report, name: 'last-words' })
  lastWords.on('error', (error: unknown) => {
    // What threads print goes through the main thread, which stands still.
    writeSync(2, `the event loop does not return, and its holder cannot be told: ${String(error)}\n`)
  })
  const found: Standstill = { holder: null, lastWords }
  const session = new Session()
  session.connectToMainThread()
  session.post('Runtime.evaluate', { expression: question, returnByValue: true }, (error, answer) => {
    const value: unknown = answer?.result.value
    if (error === null && typeof value === 'string') found.holder = JSON.parse(value) as Holder
    session.disconnect()
  })
  return found
}

function end({ lastWords, holder }: Standstill): void {
  clearInterval(timer)
  const kill = (): void => void process.kill(process.pid, 'SIGKILL')
  setTimeout(kill, lastWordsMs)
  lastWords.once('exit', kill)
  lastWords.postMessage({ holder, heldMs } satisfies LastWordsRequest)
}
