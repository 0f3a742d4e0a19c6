import type { FatalError } from '@tributary/connect-api'
import { runtimeErrors } from '../errors.ts'

/** Processes that a unit may end by holding their event loop. After these it is not started again. */
export const MAX_STALLS = 3

const HELD = 'FatalError [EVENT_LOOP_HELD]:'
const ADVICE = 'work that takes long belongs into a worker thread, or has to be done in pieces'

/**
 * Fails a unit whose code returned after `heldMs`. The task does not restart by itself, as it would stop its neighbours again.
 * `stack` has the lines of the code that held the loop, innermost first: `    at <function> (<file>:<line>:<column>)`.
 */
export function loopHeld(name: string, heldMs: number, stack: string): FatalError {
  const error = runtimeErrors.EVENT_LOOP_HELD(
    `${name} held the event loop for ${seconds(heldMs)} s, in which no other task of the process could run; ${ADVICE}`,
  )
  error.stack = `${error.name}: ${error.message}\n${stack}`
  return error
}

/** Trace of a unit whose code has not returned after `heldMs`, so that its process is ended. `stalls` includes this end. */
export function loopNotReturned(name: string, heldMs: number, stalls: number, stack: string): string {
  const next =
    stalls < MAX_STALLS ? 'another worker tries again' : 'it is not started again until it is restarted or reconfigured'
  const count = `${stalls} of ${MAX_STALLS} times; ${next}`
  return `${HELD} ${name} held the event loop for ${seconds(heldMs)} s and did not return, so its process was ended (${count}); ${ADVICE}\n${stack}`
}

/** Refuses to start a unit. `lastTrace` is the trace of its stored status, which says where the loop was held. */
export function heldTooOften(name: string, stalls: number, lastTrace: string | undefined): FatalError {
  const cause = lastTrace === undefined ? null : causeIn(lastTrace)
  return runtimeErrors.EVENT_LOOP_HELD_TOO_OFTEN(
    `${name} has ended ${stalls} processes by holding their event loop, and is not started again; restart it, or change its configuration, once the cause is mended`,
    cause === null ? {} : { cause },
  )
}

/** The error whose trace `loopNotReturned` made. It may be the cause of another error in `trace`. */
function causeIn(trace: string): FatalError | null {
  const at = trace.indexOf(HELD)
  if (at < 0) return null
  const [message = '', ...stack] = trace
    .slice(at + HELD.length)
    .trimStart()
    .split('\n')
  const error = runtimeErrors.EVENT_LOOP_HELD(message)
  error.stack = stack.join('\n')
  return error
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}
