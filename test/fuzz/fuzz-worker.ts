import { parentPort, workerData } from 'node:worker_threads'
import type { Progress, Report } from './driver.ts'
import type { FuzzRequest } from './watchdog.ts'

/** The thread that `fuzzInWorker` starts. */
const request = workerData as FuzzRequest
const fuzzer = (await import(request.module)) as {
  fuzz(iterations: number, seed: number, progress: Progress): Promise<Report>
}
const report = await fuzzer.fuzz(request.iterations, request.seed, (index, inputSeed) => {
  Atomics.store(request.progress, 1, inputSeed | 0)
  Atomics.store(request.progress, 0, index)
})
parentPort?.postMessage(report)
