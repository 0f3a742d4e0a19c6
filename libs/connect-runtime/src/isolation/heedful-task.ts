import { FatalError, type SourceTask } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'

/** What a call may still take after its signal, in ms. */
const GRACE_MS = 1000
/** `start` reads the configuration, and `stop` lets go of things; neither has a signal. In ms. */
const START_MS = 30_000
const STOP_MS = 5000

/**
 * The task with an end to each of its calls: code that does not heed its signal must not hold up its own stop, and with
 * it the worker that is to have the task next. What such a call still answers is passed over.
 */
export function heedful(task: SourceTask, log: Logger): SourceTask {
  const ignored = (call: string): void => log.warn('task_call_ignored', { call, reason: 'it did not end when told to' })
  const heeding = <T>(call: string, signal: AbortSignal, run: () => Promise<T>): Promise<T> =>
    withEnd(run, (end) => {
      let timer: NodeJS.Timeout | undefined
      const abort = (): void => {
        timer = setTimeout(() => {
          ignored(call)
          end(signal.reason)
        }, GRACE_MS)
      }
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort, { once: true })
      return () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', abort)
      }
    })
  const within = (call: string, ms: number, run: () => Promise<void>): Promise<void> =>
    withEnd(run, (end) => {
      const timer = setTimeout(() => {
        ignored(call)
        end(new FatalError('TASK_CALL_TIMEOUT', `${call} of the task did not end within ${ms} ms; a bug of the plugin`))
      }, ms)
      return () => clearTimeout(timer)
    })
  return {
    start: (context) => within('start', START_MS, () => task.start(context)),
    connect: (signal) => heeding('connect', signal, () => task.connect(signal)),
    poll: (signal) => heeding('poll', signal, () => task.poll(signal)),
    stop: () => within('stop', STOP_MS, () => task.stop()),
    ...(task.commitRecord && { commitRecord: task.commitRecord.bind(task) }),
    ...(task.commit && { commit: (signal) => heeding('commit', signal, async () => task.commit?.(signal)) }),
    ...(task.lostConnection && { lostConnection: task.lostConnection.bind(task) }),
    ...(task.drain && { drain: task.drain.bind(task) }),
    ...(task.takeOver && { takeOver: task.takeOver.bind(task) }),
    ...(task.handOver && { handOver: task.handOver.bind(task) }),
  }
}

/** Runs something that `arm` may end with a reason before it is over; `arm` answers how it is disarmed. */
async function withEnd<T>(run: () => Promise<T>, arm: (end: (reason: unknown) => void) => () => void): Promise<T> {
  const { promise: ended, reject } = Promise.withResolvers<never>()
  const disarm = arm(reject)
  try {
    return await Promise.race([run(), ended])
  } finally {
    disarm()
  }
}
