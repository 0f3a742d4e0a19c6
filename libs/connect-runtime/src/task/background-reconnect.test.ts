import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test, type TestContext } from 'node:test'
import { ConfigError, NotConnectedError, type Transformation } from '@tributary/connect-api'
import { type ScriptedRun, type ScriptOptions, scriptedRun } from '../testing/run-scripted.ts'

const CUT = new NotConnectedError('CUT', 'the server went away')

/** A run whose source has `lostConnection`, with room for one record in flight. */
function runWithLostConnection(
  t: TestContext,
  options: ScriptOptions = {},
): { scripted: ScriptedRun; cut: () => void } {
  const scripted = scriptedRun({ 'max.in.flight.records': '1' }, options)
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
    assert.ok(performance.now() < deadline, 'the condition did not become true within 5 s')
    await sleep(5)
  }
}

/** Starts the run, lets Kafka take nothing, and sends records up to the in-flight limit. */
async function blockedByKafka({ task, run, producer }: ScriptedRun): Promise<void> {
  void run.run()
  await until(() => task.connects === 1)
  producer.up.close()
  const polled = task.polls
  task.send('a')
  await until(() => task.polls > polled)
  task.send('b')
  await until(() => task.queue.size === 0)
}

test('the run reconnects at once when its connection ends while Kafka takes nothing, and keeps the order', async (t) => {
  const { scripted, cut } = runWithLostConnection(t)
  const { task, producer, run } = scripted
  await blockedByKafka(scripted)
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

test('a config error in that reconnect fails the task after the queued records are delivered', async (t) => {
  const { scripted, cut } = runWithLostConnection(t)
  const { task, producer } = scripted
  await blockedByKafka(scripted)
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

test('a stop during that reconnect delivers the queued records', async (t) => {
  const { scripted, cut } = runWithLostConnection(t)
  const { task, producer, run } = scripted
  await blockedByKafka(scripted)
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

test('a poll that was empty before that reconnect hides no record that came after it', async (t) => {
  const transformations: Transformation[] = [{ apply: (record) => record }]
  const { scripted, cut } = runWithLostConnection(t, { transformations })
  const { task, producer, run } = scripted
  task.pollMs = 20
  void run.run()
  await until(() => task.queue.waiting)
  const kafka = Promise.withResolvers<number>()
  producer.partitionCount = () => kafka.promise
  task.send('offered, and its topic is looked up')
  await until(() => !task.queue.waiting)
  task.send('behind the empty poll')
  let refused = false
  task.onConnect = () => {
    refused = true
    throw new ConfigError('REFUSED', 'not you')
  }
  cut()
  await until(() => refused)
  kafka.resolve(1)
  await until(() => run.state === 'failed')
  assert.deepEqual(producer.values(), ['offered, and its topic is looked up', 'behind the empty poll'])
})
