import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import type { Report } from './driver.ts'

/**
 * A single input that takes longer hangs. The time is far above the limit, because an input on a busy machine does not
 * hang.
 */
const HANG_MS = 20_000

export interface FuzzRequest {
  /** URL of a module that exports `fuzz(iterations, seed, progress)`. */
  readonly module: string
  readonly iterations: number
  readonly seed: number
  /** [index, input seed] of the present input. */
  readonly progress: Int32Array<SharedArrayBuffer>
}

/**
 * Runs a fuzzer in a thread of its own. So an input that never ends, or takes all memory, is a failure that names its
 * seed, and not a test run that hangs. Rejects for both.
 */
export async function fuzzInWorker(module: URL, iterations: number, seed: number, hangMs = HANG_MS): Promise<Report> {
  const progress = new Int32Array(new SharedArrayBuffer(8))
  const request: FuzzRequest = { module: module.href, iterations, seed, progress }
  const worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), {
    workerData: request,
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
  })
  const where = (): string => `input ${progress[0]}, seed ${progress[1]! >>> 0}`
  const ended = new AbortController()
  const finished = new Promise<Report>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', (cause) => reject(new Error(`the fuzzer ended at ${where()}`, { cause })))
    worker.once('exit', (code) => reject(new Error(`the fuzzer ended with code ${code} at ${where()}`)))
  })
  try {
    return await Promise.race([finished, watch(progress, hangMs, where, ended.signal)])
  } finally {
    ended.abort()
    await worker.terminate()
  }
}

async function watch(progress: Int32Array, hangMs: number, where: () => string, signal: AbortSignal): Promise<never> {
  let index = -1
  let since = performance.now()
  for (;;) {
    await sleep(Math.min(1000, hangMs / 4), undefined, { signal })
    const now = Atomics.load(progress, 0)
    if (now !== index) {
      index = now
      since = performance.now()
    } else if (performance.now() - since > hangMs) {
      throw new Error(`the fuzzer hangs at ${where()}`)
    }
  }
}
