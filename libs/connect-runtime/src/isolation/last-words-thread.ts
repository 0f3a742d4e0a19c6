import { enableCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'
import type { Holder } from './held-loop.ts'
import type { ReportData } from './watchdog-data.ts'

// Started once the event loop stands still; connects, waits for what there is to say, says it and ends.

export interface LastWordsRequest {
  readonly holder: Holder | null
  readonly heldMs: number
}

// That of the main thread holds what is imported here, and does not reach over into other threads.
enableCompileCache()

const request = new Promise<LastWordsRequest>((resolve) => parentPort?.once('message', resolve))
const { LastWords } = await import('./last-words.ts')
const words = new LastWords(workerData as ReportData)
const { holder, heldMs } = await request
await words.say(holder, heldMs)
process.exit()
