import type { SourceTask } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import { runtimeErrors } from '../errors.ts'

/** ms that a call may still take after its signal has aborted. */
const GRACE_MS = 1000

type Method = (...args: never[]) => unknown

/**
 * When a call of a task's method ends at the latest. `signal`: GRACE_MS after its signal aborted, with the reason of the
 * signal. A number: after so many ms, with TASK_CALL_TIMEOUT. `none`: a synchronous method, which the event loop's watchdog
 * watches.
 */
type Limit<M extends Method> = [ReturnType<M>] extends [Promise<unknown>]
  ? [Parameters<M>] extends [[AbortSignal]]
    ? 'signal'
    : number
  : 'none'

/** A limit for each method. A method that the interface gains does not compile until it stands here. */
export type CallLimits<Task extends { [Name in keyof Task]?: Method }> = {
  readonly [Name in keyof Task]-?: Limit<NonNullable<Task[Name]>>
}

export const CALL_LIMITS: CallLimits<SourceTask> = {
  start: 30_000,
  connect: 'signal',
  poll: 'signal',
  lostConnection: 'none',
  commitRecord: 'none',
  commit: 'signal',
  drain: 'none',
  takeOver: 'none',
  handOver: 'none',
  stop: 5000,
}

/**
 * The task with a limit on each of its calls: a plugin that ignores its signal must not delay its own stop, and with it the
 * worker that gets the task next. A result that comes after the limit is dropped, and the log says `task_call_ignored`.
 */
export function withCallTimeouts(task: SourceTask, log: Logger): SourceTask {
  const limited = Object.entries(CALL_LIMITS).flatMap(([name, limit]) => {
    const method = task[name as keyof SourceTask]?.bind(task)
    return method === undefined ? [] : [[name, limitCall(name, method as AnyMethod, limit, log)]]
  })
  return Object.fromEntries(limited) as SourceTask
}

type AnyMethod = (...args: unknown[]) => unknown

function limitCall(name: string, method: AnyMethod, limit: 'signal' | 'none' | number, log: Logger): AnyMethod {
  if (limit === 'none') return method
  const ignored = (): void => log.warn('task_call_ignored', { call: name, reason: 'it did not end when told to' })
  if (limit === 'signal') {
    return (signal) => raceWith(method, [signal], (end) => afterSignal(signal as AbortSignal, ignored, end))
  }
  return (...args) =>
    raceWith(method, args, (end) => {
      const timer = setTimeout(() => {
        ignored()
        const text = `${name} of the task did not end within ${limit} ms; a bug of the plugin`
        end(runtimeErrors.TASK_CALL_TIMEOUT(text))
      }, limit)
      return () => clearTimeout(timer)
    })
}

/** Calls `end` GRACE_MS after the signal aborted. The result disarms it. */
function afterSignal(signal: AbortSignal, ignored: () => void, end: (reason: unknown) => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const abort = (): void => {
    timer = setTimeout(() => {
      ignored()
      end(signal.reason)
    }, GRACE_MS)
  }
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return () => {
    clearTimeout(timer)
    signal.removeEventListener('abort', abort)
  }
}

/** Calls a method that `arm` may end early with a reason. What `arm` returns is called when the call is over. */
async function raceWith(
  method: AnyMethod,
  args: unknown[],
  arm: (end: (reason: unknown) => void) => () => void,
): Promise<unknown> {
  const { promise: ended, reject } = Promise.withResolvers<never>()
  const disarm = arm(reject)
  try {
    return await Promise.race([method(...args), ended])
  } finally {
    disarm()
  }
}
