import assert from 'node:assert/strict'
import { test } from 'node:test'
import { traceOf } from '@tributary/connect-api'
import { heldTooOften, loopHeld, loopNotReturned } from './stall-errors.ts'

const STACK = '    at hold (plugin.ts:1:2)\n    at poll (plugin.ts:3:4)'

test('the trace of a held loop has the name of the task, the time, and the stack', () => {
  const [head, ...stack] = traceOf(loopHeld('task 1 of connector c', 6049, STACK)).split('\n')
  assert.match(head!, /^FatalError \[EVENT_LOOP_HELD\]: task 1 of connector c held the event loop for 6\.0 s/)
  assert.equal(stack.join('\n'), STACK)
})

test('the trace of a unit that is not started again has the stack of the held loop once', () => {
  const last = loopNotReturned('task 1 of connector c', 7000, 3, STACK)
  assert.match(last, /did not return, so its process was ended \(3 of 3 times; it is not started again until/)
  const first = traceOf(heldTooOften('task 1 of connector c', 3, last))
  assert.match(first, /^FatalError \[EVENT_LOOP_HELD_TOO_OFTEN\]: task 1 of connector c has ended 3 processes/)
  assert.ok(first.endsWith(STACK), first)
  // The next owner reads this trace from the status topic.
  const second = traceOf(heldTooOften('task 1 of connector c', 3, first))
  assert.equal(second.match(/at hold /g)?.length, 1)
  assert.ok(!traceOf(heldTooOften('task 1 of connector c', 3, undefined)).includes('Caused by'))
})
