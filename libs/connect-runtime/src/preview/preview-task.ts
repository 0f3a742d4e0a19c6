import { rm, rmdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import {
  END_OF_INPUT,
  NotConnectedError,
  type Polled,
  recordsOf,
  type SourceRecord,
  type SourceTask,
  type TaskContext,
} from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import { checkPolled } from '../records/record-contract.ts'
import type { PreviewAnswer } from './answer.ts'

/** Why a preview ends. */
export class PreviewEnd extends Error {
  readonly why: 'time' | 'gone' | 'bug'

  constructor(why: PreviewEnd['why'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.why = why
  }
}

interface PreviewTaskOptions {
  readonly task: SourceTask
  /** Names the task in errors. */
  readonly by: string
  readonly context: TaskContext
  readonly log: Logger
  /** Most records. */
  readonly records: number
  /** Called with each record, in order. Resolves with false when no more are wanted. */
  readonly onRecord: (record: SourceRecord) => Promise<boolean>
}

type Ended = Pick<PreviewAnswer, 'ended' | 'reason'>

/**
 * Runs a task for a preview: start, connect once, poll until there are enough records, stop. Its calls are those of a real run, but
 * for the acknowledgements, which never come. `signal` aborts with a PreviewEnd. Rejects with what `start` or `connect` rejects with,
 * and with an error of `poll` if no record came before. The task is stopped, and its folder gone, when the promise settles.
 */
export async function runPreviewTask(options: PreviewTaskOptions, signal: AbortSignal): Promise<Ended> {
  const { task, context, log } = options
  try {
    await task.start(context)
    await task.connect(signal)
    return await take(options, signal)
  } finally {
    for (const release of [() => task.stop(), () => removeFolder(context.dataDir)]) {
      await release().catch((error: unknown) => log.warn('close_failed', { error }))
    }
  }
}

async function take({ task, by, records, onRecord }: PreviewTaskOptions, signal: AbortSignal): Promise<Ended> {
  let taken = 0
  for (;;) {
    let polled: Polled[] | typeof END_OF_INPUT
    try {
      polled = checkPolled(await task.poll(signal), by)
    } catch (error) {
      if (signal.aborted) return ended(signal.reason, taken)
      if (taken === 0) throw error
      const what = error instanceof NotConnectedError ? 'The source ended the connection' : 'The source failed'
      return { ended: 'source', reason: `${what}: ${(error as Error).message}` }
    }
    if (polled === END_OF_INPUT) return { ended: 'source', reason: 'The source has no more records.' }
    for (const record of polled.flatMap(recordsOf)) {
      let more: boolean
      try {
        more = await onRecord(record)
      } catch (error) {
        if (signal.aborted) return ended(signal.reason, taken)
        throw error
      }
      if (!more) return { ended: 'size', reason: `The answer is large enough with ${taken + 1} records.` }
      if (++taken === records) return { ended: 'records', reason: `${taken} records were taken, as many as wanted.` }
    }
    const completed = polled.length === 0 ? (task.completed?.() ?? null) : null
    // A poll that answers at once would leave no turn to the timer that ends the preview.
    await nextTurn()
    if (completed !== null) return { ended: 'source', reason: completed }
    if (signal.aborted) return ended(signal.reason, taken)
  }
}

/** Throws unless the time is over. */
function ended(reason: unknown, taken: number): Ended {
  if (!(reason instanceof PreviewEnd) || reason.why !== 'time') throw reason
  return { ended: 'time', reason: `${taken} records came within the time.` }
}

/** Nothing should be in the folder. `.previews` goes with its last folder. */
async function removeFolder(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true })
  await rmdir(dirname(dir)).catch((error: unknown) => {
    if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(String((error as { code?: unknown }).code))) throw error
  })
}
