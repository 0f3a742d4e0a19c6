import { ChangingSet } from '@tributary/async'
import type { SourceTask } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import { runtimeErrors } from '../errors.ts'

/** ms that a call may continue after its signal has aborted. */
const GRACE_MS = 1000

type Method = (...args: never[]) => unknown

/**
 * The limit of a task's method. `signal`: the call ends GRACE_MS after its signal aborted, with the reason of the signal.
 * A number: the call fails after this many ms, with TASK_CALL_TIMEOUT. `none`: the method is synchronous, and
 * EventLoopWatchdog watches it.
 */
type Limit<M extends Method> = [ReturnType<M>] extends [Promise<unknown>]
  ? [Parameters<M>] extends [[AbortSignal]]
    ? 'signal'
    : number
  : 'none'

/** One limit for each method: the compiler rejects a method of the interface that has no limit. */
export type CallLimits<Task extends { [Name in keyof Task]?: Method }> = {
  readonly [Name in keyof Task]-?: Limit<NonNullable<Task[Name]>>
}

export const CALL_LIMITS: CallLimits<SourceTask> = {
  start: 30_000,
  connect: 'signal',
  poll: 'signal',
  position: 'none',
  completed: 'none',
  caution: 'none',
  lostConnection: 'none',
  commitRecord: 'none',
  redeliver: 'none',
  commitBatch: 'none',
  commit: 'signal',
  paused: 'none',
  resumed: 'none',
  drain: 'none',
  takeOver: 'none',
  handOver: 'none',
  stop: 5000,
}

/**
 * Limits each call of the task. A plugin that ignores its signal must not delay the stop of the task, because the next
 * worker waits for that stop. The limit drops a result that comes after it, and logs `task_call_ignored`.
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
  const ignored = (): void => log.warn('task_call_ignored', { call: name, reason: 'the call exceeded its limit' })
  if (limit === 'signal') {
    const graces = new Graces(ignored)
    return (signal) => raceWith(method, [signal], (end) => graces.of(signal as AbortSignal, end))
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

type End = (reason: unknown) => void

/** Ends calls GRACE_MS after their signal aborted. The calls with one signal share a listener, since each poll is a call. */
class Graces {
  readonly #ignored: () => void
  readonly #bySignal = new WeakMap<AbortSignal, ChangingSet<End>>()

  constructor(ignored: () => void) {
    this.#ignored = ignored
  }

  /** The returned function tells that the call has ended by itself. */
  of(signal: AbortSignal, end: End): () => void {
    let running = this.#bySignal.get(signal)
    if (running === undefined) {
      this.#bySignal.set(signal, (running = new ChangingSet()))
      if (!signal.aborted) signal.addEventListener('abort', () => this.#end(signal), { once: true })
    }
    const calls = running
    calls.add(end)
    if (signal.aborted) this.#end(signal)
    return () => calls.delete(end)
  }

  #end(signal: AbortSignal): void {
    const running = this.#bySignal.get(signal)
    this.#bySignal.delete(signal)
    if (running === undefined || running.size === 0) return
    setTimeout(() => {
      for (const end of running) {
        this.#ignored()
        end(signal.reason)
      }
    }, GRACE_MS).unref()
  }
}

/** Calls a method. `arm` gets a function that ends the call early with a reason, and returns the clean-up after the call. */
function raceWith(method: AnyMethod, args: unknown[], arm: (end: End) => () => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const disarm = arm(reject)
    const settled = (settle: (outcome: unknown) => void) => (outcome: unknown) => {
      disarm()
      settle(outcome)
    }
    const call = async (): Promise<unknown> => method(...args)
    call().then(settled(resolve), settled(reject))
  })
}
