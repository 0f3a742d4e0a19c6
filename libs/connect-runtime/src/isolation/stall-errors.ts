import type { FatalError } from '@tributary/connect-api'
import { runtimeErrors } from '../errors.ts'

/** After ending this many processes by holding their event loop, a unit is not started again. */
export const MAX_STALLS = 3

const HELD = 'FatalError [EVENT_LOOP_HELD]:'
const ADVICE = 'do long work in a worker thread, or in small pieces'

/**
 * Error of a unit whose code returned after `heldMs`. The error is fatal: a restarted task would stop its neighbours again.
 * `stack` has the frames of the code that held the loop, innermost first: `    at <function> (<file>:<line>:<column>)`.
 */
export function loopHeld(name: string, heldMs: number, stack: string): FatalError {
  const error = runtimeErrors.EVENT_LOOP_HELD(
    `${name} held the event loop for ${seconds(heldMs)} s; no other task of the process could run meanwhile; ${ADVICE}`,
  )
  error.stack = `${error.name}: ${error.message}\n${stack}`
  return error
}

/** Trace of a unit whose process is ended, because its code has not returned after `heldMs`. `stalls` counts this end too. */
export function loopNotReturned(name: string, heldMs: number, stalls: number, stack: string): string {
  const next =
    stalls < MAX_STALLS ? 'another worker tries again' : 'it is not started again until it is restarted or reconfigured'
  const count = `${stalls} of ${MAX_STALLS} times; ${next}`
  return `${HELD} ${name} held the event loop for ${seconds(heldMs)} s and did not return, so its process was ended (${count}); ${ADVICE}\n${stack}`
}

/** Error that refuses to start a unit. `lastTrace`: the trace in its stored status, with the stack of the held loop. */
export function heldTooOften(name: string, stalls: number, lastTrace: string | undefined): FatalError {
  const cause = lastTrace === undefined ? null : causeIn(lastTrace)
  return runtimeErrors.EVENT_LOOP_HELD_TOO_OFTEN(
    `${name} has ended ${stalls} processes by holding their event loop, and is not started again; fix the cause, then restart it or change its configuration`,
    cause === null ? {} : { cause },
  )
}

/** Error that refuses to start a task after `deaths` processes have ended during its start alone. */
export function diedTooOften(name: string, deaths: number): FatalError {
  return runtimeErrors.PROCESS_ENDED_TOO_OFTEN(
    `${deaths} processes have ended while ${name} started and no other task did; it is not started again; the logs of the processes say why; fix the cause, then restart it or change its configuration`,
  )
}

/** Reads back the error whose trace `loopNotReturned` made. In `trace` that error may be the cause of another error. */
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
