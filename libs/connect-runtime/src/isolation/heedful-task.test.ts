import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SourceTask } from '@tributary/connect-api'
import { ScriptedTask } from '../testing/scripted-task.ts'
import { silentLog } from '../testing/run-scripted.ts'
import { heedful } from './heedful-task.ts'

const never = (): Promise<never> => new Promise(() => undefined)

test('a call that does not heed its signal ends a second later with the reason of the signal', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const deaf: SourceTask = { start: never, connect: never, poll: never, commit: never, stop: never }
  const task = heedful(deaf, silentLog)
  for (const call of ['connect', 'poll', 'commit'] as const) {
    const controller = new AbortController()
    const ended = assert.rejects(task[call]!(controller.signal), /told to end/)
    controller.abort(new Error('told to end'))
    t.mock.timers.tick(1000)
    await ended
  }
})

test('start and stop, which have no signal, have a limit of their own', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const deaf: SourceTask = { start: never, connect: never, poll: never, stop: never }
  const task = heedful(deaf, silentLog)
  const stopped = assert.rejects(task.stop(), { code: 'TASK_CALL_TIMEOUT' })
  t.mock.timers.tick(5000)
  await stopped
})

test('a call that ends by itself is left as it is, its throw too', async () => {
  const scripted = new ScriptedTask()
  const task = heedful(scripted, silentLog)
  const { signal } = new AbortController()
  await task.connect(signal)
  scripted.send('a')
  assert.equal(((await task.poll(signal)) as unknown[]).length, 1)
  scripted.onConnect = () => {
    throw new Error('refused')
  }
  await assert.rejects(task.connect(signal), /refused/)
  assert.equal(heedful({ ...deafParts(), stop: never }, silentLog).drain, undefined)
})

function deafParts(): Pick<SourceTask, 'start' | 'connect' | 'poll'> {
  return { start: never, connect: never, poll: never }
}
