import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourceTask } from '@tributary/connect-api'
import { ScriptedTask } from '../testing/scripted-task.ts'
import { silentLog } from '@tributary/telemetry/testing'
import { CALL_LIMITS, type CallLimits, withCallTimeouts } from './call-timeouts.ts'

const never = (): Promise<never> => new Promise(() => undefined)
const deaf: SourceTask = { start: never, connect: never, poll: never, commit: never, stop: never }

test('a call that ignores its signal ends a second after the abort with the reason of the signal', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const task = withCallTimeouts(deaf, silentLog)
  for (const call of ['connect', 'poll', 'commit'] as const) {
    const controller = new AbortController()
    const ended = assert.rejects(task[call]!(controller.signal), /the signal aborted/)
    controller.abort(new Error('the signal aborted'))
    t.mock.timers.tick(1000)
    await ended
  }
})

test('stop, which has no signal, fails with TASK_CALL_TIMEOUT at its limit in ms', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const task = withCallTimeouts(deaf, silentLog)
  const stopped = assert.rejects(task.stop(), { code: 'TASK_CALL_TIMEOUT' })
  t.mock.timers.tick(5000)
  await stopped
})

test('a call that ends within its limit keeps its result and its error', async () => {
  const scripted = new ScriptedTask()
  const task = withCallTimeouts(scripted, silentLog)
  const { signal } = new AbortController()
  await task.connect(signal)
  scripted.send('a')
  assert.equal(((await task.poll(signal)) as unknown[]).length, 1)
  scripted.onConnect = () => {
    throw new Error('refused')
  }
  await assert.rejects(task.connect(signal), /refused/)
})

test('the limited task has exactly the methods of the plugin', () => {
  assert.equal(withCallTimeouts(deaf, silentLog).drain, undefined)
  const all = Object.fromEntries(Object.keys(CALL_LIMITS).map((name) => [name, never])) as unknown as SourceTask
  assert.deepEqual(Object.keys(withCallTimeouts(all, silentLog)), Object.keys(CALL_LIMITS))
})

test('a new method of SourceTask does not compile without a limit, nor with a limit of the wrong kind', () => {
  interface Grown extends SourceTask {
    /** Asynchronous, with a signal. */
    flush?(signal: AbortSignal): Promise<void>
  }
  // @ts-expect-error flush has no limit, so withCallTimeouts would never call it.
  const forgotten: CallLimits<Grown> = { ...CALL_LIMITS }
  // @ts-expect-error flush would never end.
  const wrong: CallLimits<Grown> = { ...CALL_LIMITS, flush: 'none' }
  const right: CallLimits<Grown> = { ...CALL_LIMITS, flush: 'signal' }
  assert.deepEqual({ ...forgotten, ...wrong, ...right }, { ...CALL_LIMITS, flush: 'signal' })
})

test('the calls of a method with one signal share a listener', async (t) => {
  const scripted = new ScriptedTask()
  const task = withCallTimeouts(scripted, silentLog)
  const { signal } = new AbortController()
  const listened = t.mock.method(signal, 'addEventListener')
  for (let i = 0; i < 10; i++) {
    scripted.send('a')
    await task.poll(signal)
  }
  assert.equal(listened.mock.callCount(), 1)
})
