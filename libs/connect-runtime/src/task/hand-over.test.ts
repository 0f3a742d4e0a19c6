import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemClock } from '@tributary/async'
import { type Clock, ConfigError, createTaskStats, DataError, NotConnectedError } from '@tributary/connect-api'
import { type ScriptedRun, scriptedRun, until } from '../testing/run-scripted.ts'
import { overlap } from '../hand-over/follow-predecessor.ts'
import type { PredecessorRun } from '../hand-over/predecessor.ts'

interface ControlledPredecessor extends PredecessorRun {
  /** The argument of `finish`; null before that call. */
  connected: boolean | null
  readonly end: (handOverState: string | null) => void
  readonly fail: (error: Error) => void
}

function controlledPredecessor(): ControlledPredecessor {
  const { promise, resolve, reject } = Promise.withResolvers<string | null>()
  const predecessor: ControlledPredecessor = {
    connected: null,
    end: resolve,
    fail: reject,
    finish: (connected) => {
      assert.equal(predecessor.connected, null, 'finish is called once')
      predecessor.connected = connected
      return promise
    },
  }
  return predecessor
}

/** A successor whose overlap ends at `handOverTimeoutMs`. */
function successorOf(predecessor: ControlledPredecessor, props = {}, handOverTimeoutMs = 100): ScriptedRun {
  return scriptedRun(props, { predecessor, handOverTimeoutMs, resumable: true })
}

test('a successor connects and queues while the predecessor reads, and goes on where the predecessor stopped', async () => {
  const predecessor = controlledPredecessor()
  const s = successorOf(predecessor)
  void s.run.run()
  await until(() => predecessor.connected !== null, 'the predecessor is asked to end')
  assert.equal(predecessor.connected, true)
  s.task.send('a', 'b')
  // The start of a transactional producer would fence the predecessor's producer.
  assert.deepEqual([s.producer.started, s.run.state, s.task.polls, s.task.takenOver], [false, 'starting', 0, null])
  await s.offsets.write('c', [{ partition: { feed: 'a' }, offset: { sequence: 7 } }])
  predecessor.end('handOverState')
  await until(() => s.producer.kept.length === 2, 'the queued records are delivered')
  assert.deepEqual(s.task.takenOver, { offset: { sequence: 7 }, handOverState: 'handOverState' })
  assert.deepEqual([s.run.state, s.task.connects], ['running', 1])
  await s.run.stop()
  assert.deepEqual(s.producer.values(), ['a', 'b'])
})

test('a successor that cannot connect in time takes over all the same, and tries again', async () => {
  const predecessor = controlledPredecessor()
  const s = successorOf(predecessor, {}, 50)
  s.task.onConnect = () => {
    if (predecessor.connected === null) throw new NotConnectedError('X', 'only one connection at a time')
  }
  void s.run.run()
  await until(() => predecessor.connected === false, 'the predecessor is asked to end')
  predecessor.end(null)
  await until(() => s.run.connection.connected, 'it connects')
  s.task.send('a')
  await until(() => s.producer.kept.length === 1, 'it delivers')
  await s.run.stop()
})

test('the hand-over timeout aborts a connect in progress', async () => {
  const predecessor = controlledPredecessor()
  const s = successorOf(predecessor, {}, 20)
  s.task.onConnect = async (signal) => {
    if (predecessor.connected === null) await systemClock.sleep(60_000, signal)
  }
  void s.run.run()
  await until(() => predecessor.connected === false, 'the predecessor is asked to end')
  predecessor.end(null)
  await until(() => s.run.state === 'running', 'it runs')
  await s.run.stop()
})

test('a stop before the successor is connected does not end the predecessor', async () => {
  const predecessor = controlledPredecessor()
  const s = successorOf(predecessor)
  s.task.onConnect = () => {
    throw new NotConnectedError('X', 'refused')
  }
  void s.run.run()
  await until(() => s.task.connects > 1, 'it tries')
  await s.run.stop()
  assert.deepEqual(
    [s.run.state, predecessor.connected, s.producer.started, s.task.stopped],
    ['stopped', null, false, 1],
  )
})

test('a stop while the predecessor ends delivers the records that only the successor has received', async () => {
  const predecessor = controlledPredecessor()
  const s = successorOf(predecessor)
  void s.run.run()
  await until(() => predecessor.connected !== null, 'the predecessor is asked to end')
  s.task.send('a', 'b')
  const stopped = s.run.stop()
  predecessor.end(null)
  await stopped
  assert.equal(s.run.state, 'stopped')
  assert.deepEqual(s.producer.values(), ['a', 'b'])
  assert.deepEqual(s.offsets.writes.at(-1), { sequence: 2 })
})

test('a stop waits for a predecessor no longer than the graceful timeout', async () => {
  const predecessor = controlledPredecessor()
  const s = successorOf(predecessor, { 'task.shutdown.graceful.timeout.ms': '50' })
  void s.run.run()
  await until(() => predecessor.connected !== null, 'the predecessor is asked to end')
  await s.run.stop()
  assert.deepEqual([s.run.state, s.producer.started], ['stopped', false])
})

test('a successor with a config error in connect fails and does not end the predecessor', async () => {
  const predecessor = controlledPredecessor()
  const s = successorOf(predecessor)
  s.task.onConnect = () => {
    throw new ConfigError('X', 'no such method')
  }
  await s.run.run()
  assert.deepEqual([s.run.state, s.failureKind, predecessor.connected], ['failed', 'config', null])
})

test('an uncaught error in a callback fails a successor that is still connecting', async () => {
  const predecessor = controlledPredecessor()
  const s = successorOf(predecessor)
  s.task.onConnect = () => {
    throw new NotConnectedError('X', 'refused')
  }
  const ended = s.run.run()
  await until(() => s.task.connects > 1, 'it tries')
  s.run.fail(new Error('thrown in a callback'))
  await ended
  assert.deepEqual([s.run.state, predecessor.connected], ['failed', null])
})

test('an error of the predecessor fails the successor', async () => {
  const predecessor = controlledPredecessor()
  const s = successorOf(predecessor)
  const ended = s.run.run()
  await until(() => predecessor.connected !== null, 'the predecessor is asked to end')
  predecessor.fail(new DataError('X', 'a bad record'))
  await ended
  assert.deepEqual([s.run.state, s.failureKind, s.producer.started], ['failed', 'data', false])
})

test('a successor that is paused during the hand-over takes over paused', async () => {
  const predecessor = controlledPredecessor()
  const s = successorOf(predecessor)
  void s.run.run()
  await until(() => predecessor.connected !== null, 'the predecessor is asked to end')
  s.run.pause()
  s.task.send('a')
  predecessor.end(null)
  await until(() => s.run.state === 'paused', 'it is paused')
  assert.equal(s.task.polls, 0)
  s.run.resume()
  await until(() => s.producer.kept.length === 1, 'it delivers')
  await s.run.stop()
})

test('without a lease a successor does not start its producer', async () => {
  const predecessor = controlledPredecessor()
  const s = successorOf(predecessor)
  s.lease.close()
  void s.run.run()
  await until(() => predecessor.connected !== null, 'the predecessor is asked to end')
  predecessor.end(null)
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(s.producer.started, false)
  s.lease.open()
  await until(() => s.run.state === 'running', 'it runs')
  await s.run.stop()
})

for (const [resumable, delivered] of [
  [true, []],
  [false, ['a', 'b']],
] as const) {
  const what = resumable ? 'drops its queued records' : 'sends its queued records, without offsets'
  test(`another worker gets the task during a hand-over: a source that can${resumable ? '' : 'not'} resume ${what}`, async () => {
    const predecessor = controlledPredecessor()
    const s = scriptedRun({}, { predecessor, handOverTimeoutMs: 100, resumable })
    void s.run.run()
    await until(() => predecessor.connected !== null, 'the predecessor is asked to end')
    s.task.send('a', 'b')
    const lost = s.run.lose()
    predecessor.end(null)
    await lost
    assert.deepEqual([s.producer.values(), s.offsets.writes, s.run.state], [delivered, [], 'stopped'])
  })
}

test('a run leaves a hand-over state once all records are delivered', async () => {
  const s = scriptedRun()
  s.task.handOverState = 'ids'
  void s.run.run()
  s.task.send('a')
  await until(() => s.producer.kept.length === 1, 'it is delivered')
  await s.run.stop()
  assert.equal(s.run.handOverState, 'ids')
})

test('a run that gave up records leaves no hand-over state, since the state would name undelivered records', async () => {
  const s = scriptedRun({ 'task.shutdown.graceful.timeout.ms': '20' })
  s.task.handOverState = 'ids'
  s.producer.up.close()
  void s.run.run()
  s.task.send('a')
  await until(() => s.run.progress.recordsPolled === 1, 'it is polled')
  await s.run.stop()
  assert.deepEqual([s.run.state, s.run.handOverState], ['stopped', null])
})

test('a hand-over state over 64 KiB is dropped: the offsets are enough to lose nothing', async () => {
  const s = scriptedRun()
  s.task.handOverState = 'x'.repeat(64 * 1024 + 1)
  void s.run.run()
  await until(() => s.run.state === 'running', 'it runs')
  await s.run.stop()
  assert.equal(s.run.handOverState, null)
})

describe('two runs overlap', () => {
  /** Length of the overlap in ms. `at`: what the successor has received, and whether the predecessor is behind, at a time in ms. */
  async function lasts(at: (now: number) => { received: number; behind: boolean }, deadline = 10_000): Promise<number> {
    let now = 0
    let behind = false
    const stats = createTaskStats()
    const update = (): void => {
      const state = at(now)
      stats.messagesReceived = state.received
      behind = state.behind
    }
    const sleep = (ms: number): Promise<void> => {
      now += ms
      update()
      return Promise.resolve()
    }
    const clock: Clock = { now: () => now, monotonic: () => now, sleep }
    update()
    const predecessor: PredecessorRun = { behind: () => behind, finish: () => Promise.resolve(null) }
    await overlap({ task: {}, stats, clock }, predecessor, deadline, new AbortController().signal)
    return now
  }

  test('for half a second, since messages to the predecessor alone may be in flight', async () => {
    assert.equal(await lasts(() => ({ received: 1, behind: false })), 500)
  })

  test('until the successor has received a message, since a subscription takes time, or for 2 s', async () => {
    assert.equal(await lasts((now) => ({ received: now >= 1200 ? 1 : 0, behind: false })), 1200)
    assert.equal(await lasts(() => ({ received: 0, behind: false })), 2000)
  })

  test('while the predecessor is behind, since only the predecessor can read its transport', async () => {
    assert.equal(await lasts((now) => ({ received: 1, behind: now < 3000 })), 3480)
  })

  test('until the deadline at most', async () => {
    assert.equal(await lasts(() => ({ received: 0, behind: true }), 4000), 4000)
  })
})
