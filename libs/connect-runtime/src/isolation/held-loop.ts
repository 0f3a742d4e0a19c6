import { FatalError } from '@tributary/connect-api'
import type { ScopedUnit } from './plugin-scope.ts'

/** After so many ended processes a unit is not started again. */
export const MAX_STALLS = 3

/** What the thread is told when it asks the main thread, in the midst of what that is doing, who holds its event loop. */
export interface Holder {
  /** As PluginScope has it; null: the runtime's own code, or a dependency's. */
  readonly name: string | null
  readonly unit: ScopedUnit | null
  /** Lines of a stack, innermost first: `    at <function> (<file>:<line>:<column>)`. */
  readonly stack: string
  /**
   * Asked more than once, it was one callback of the same unit. Otherwise the loop turns slowly because much is to be done, or
   * because the machine gives this process no CPU: nobody is to blame.
   */
  readonly certain: boolean
}

const HELD = 'FatalError [EVENT_LOOP_HELD]:'
const ADVICE = 'work that takes long belongs into a worker thread, or has to be done in pieces'

/** The loop returned after `heldMs`: the holder fails. It does not restart by itself, as it would stop its neighbours again. */
export function loopHeld(name: string, heldMs: number, stack: string): FatalError {
  const seconds = (heldMs / 1000).toFixed(1)
  const error = new FatalError(
    'EVENT_LOOP_HELD',
    `${name} held the event loop for ${seconds} s, in which no other task of the process could run; ${ADVICE}`,
  )
  error.stack = `${error.name}: ${error.message}\n${stack}`
  return error
}

/** Trace of a unit that has not returned after `heldMs`, with which the process is ended. `stalls` includes this one. */
export function loopNotReturned(name: string, heldMs: number, stalls: number, stack: string): string {
  const seconds = (heldMs / 1000).toFixed(1)
  const next =
    stalls < MAX_STALLS ? 'another worker tries again' : 'it is not started again until it is restarted or reconfigured'
  const head = `${HELD} ${name} held the event loop for ${seconds} s and did not return, so its process was ended (${stalls} of ${MAX_STALLS} times; ${next}); ${ADVICE}`
  return `${head}\n${stack}`
}

/** `lastTrace` is what the status topic holds: it says where the loop was held. */
export function heldTooOften(name: string, stalls: number, lastTrace: string | undefined): FatalError {
  const last = lastTrace === undefined ? null : causeIn(lastTrace)
  return new FatalError(
    'EVENT_LOOP_HELD_TOO_OFTEN',
    `${name} has ended ${stalls} processes by holding their event loop, and is not started again; restart it, or change its configuration, once the cause is mended`,
    last === null ? {} : { cause: last },
  )
}

/** The error whose trace `loopNotReturned` made, on its own or as the cause of another one. */
function causeIn(trace: string): FatalError | null {
  const at = trace.indexOf(HELD)
  if (at < 0) return null
  const [message = '', ...stack] = trace
    .slice(at + HELD.length)
    .trimStart()
    .split('\n')
  const error = new FatalError('EVENT_LOOP_HELD', message)
  error.stack = stack.join('\n')
  return error
}
