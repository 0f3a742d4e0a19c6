import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { ConfigError, NotConnectedError } from '@tributary/connect-api'
import { type ScriptedRun, scriptedRun } from '../testing/run-scripted.ts'

const CUT = new NotConnectedError('CUT', 'the server went away')

/** A run whose source says when its connection has ended, with room for one record on its way to Kafka. */
function runThatTells(t: TestContext): { scripted: ScriptedRun; cut: () => void } {
  const scripted = scriptedRun({ 'max.in.flight.records': '1' })
  const { task, run, producer } = scripted
  let lost: NotConnectedError | null = null
  Object.assign(task, { lostConnection: () => lost })
  const { onConnect } = task
  task.onConnect = (signal) => {
    lost = null
    return onConnect(signal)
  }
  t.after(async () => {
    producer.up.open()
    await run.stop()
  })
  return {
    scripted,
    cut: () => {
      lost = CUT
      task.cut(CUT)
    },
  }
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5000
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'it did not come to pass')
    await sleep(5)
  }
}

/** Kafka takes nothing, and as much is on its way as may be. */
async function heldUp({ task, run, producer }: ScriptedRun): Promise<void> {
  void run.run()
  await until(() => task.connects === 1)
  producer.up.close()
  const polled = task.polls
  task.send('a')
  await until(() => task.polls > polled)
  task.send('b')
  await until(() => task.queue.size === 0)
}

test('a connection that ends while Kafka takes nothing is made again at once, and order is kept', async (t) => {
  const { scripted, cut } = runThatTells(t)
  const { task, producer, run } = scripted
  await heldUp(scripted)
  task.send('c')
  cut()
  await until(() => task.connects === 2)
  task.send('d')
  producer.up.open()
  await until(() => producer.values().length === 4)
  assert.deepEqual(producer.values(), ['a', 'b', 'c', 'd'])
  assert.equal(run.connection.connected, true)
  assert.equal(task.connects, 2)
})

test('what cannot heal in such a connect fails the task behind what was queued', async (t) => {
  const { scripted, cut } = runThatTells(t)
  const { task, producer } = scripted
  await heldUp(scripted)
  task.send('c')
  let refused = false
  task.onConnect = () => {
    refused = true
    throw new ConfigError('REFUSED', 'not you')
  }
  cut()
  await until(() => refused)
  assert.deepEqual(scripted.states, ['running'])
  producer.up.open()
  await until(() => scripted.states.includes('failed'))
  assert.deepEqual(producer.values(), ['a', 'b', 'c'])
  assert.equal((scripted.failure as Error).message, 'not you')
})

test('a stop during such a connect delivers what was queued', async (t) => {
  const { scripted, cut } = runThatTells(t)
  const { task, producer, run } = scripted
  await heldUp(scripted)
  task.send('c')
  let trying = false
  task.onConnect = (signal) => {
    trying = true
    return new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
  }
  cut()
  await until(() => trying)
  const stopped = run.stop()
  producer.up.open()
  await stopped
  assert.deepEqual(producer.values(), ['a', 'b', 'c'])
})
