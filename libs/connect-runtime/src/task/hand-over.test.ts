import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { systemClock } from '@tributary/async'
import { type Clock, ConfigError, createTaskStats, DataError, NotConnectedError } from '@tributary/connect-api'
import { type ScriptedRun, scriptedRun, until } from '../testing/run-scripted.ts'
import { overlap } from '../hand-over/follow-predecessor.ts'
import type { PredecessorRun } from '../hand-over/predecessor.ts'

interface Former extends PredecessorRun {
  /** What it was told when it was asked to end; null: it was not. */
  connected: boolean | null
  readonly end: (handOverState: string | null) => void
  readonly fail: (error: Error) => void
}

function formerRun(): Former {
  const { promise, resolve, reject } = Promise.withResolvers<string | null>()
  const predecessor: Former = {
    connected: null,
    end: resolve,
    fail: reject,
    finish: (connected) => {
      assert.equal(predecessor.connected, null, 'it is asked to end once')
      predecessor.connected = connected
      return promise
    },
  }
  return predecessor
}

/** The overlap of a connected one ends with its time. */
function successorOf(predecessor: Former, props = {}, handOverTimeoutMs = 100): ScriptedRun {
  return scriptedRun(props, { predecessor, handOverTimeoutMs, resumable: true })
}

test('a successor connects and queues while the predecessor run still reads, and goes on where that one stopped', async () => {
  const predecessor = formerRun()
  const s = successorOf(predecessor)
  void s.run.run()
  await until(() => predecessor.connected !== null, 'the predecessor run is asked to end')
  assert.equal(predecessor.connected, true)
  s.task.send('a', 'b')
  // The start of a transactional producer would fence the predecessor run's.
  assert.deepEqual([s.producer.started, s.run.state, s.task.polls, s.task.takenOver], [false, 'starting', 0, null])
  await s.offsets.write('c', [{ partition: { feed: 'a' }, offset: { sequence: 7 } }])
  predecessor.end('handOverState')
  await until(() => s.producer.kept.length === 2, 'what came meanwhile is delivered')
  assert.deepEqual(s.task.takenOver, { offset: { sequence: 7 }, handOverState: 'handOverState' })
  assert.deepEqual([s.run.state, s.task.connects], ['running', 1])
  await s.run.stop()
  assert.deepEqual(s.producer.values(), ['a', 'b'])
})

test('a successor that cannot connect in time takes over all the same, and goes on trying', async () => {
  const predecessor = formerRun()
  const s = successorOf(predecessor, {}, 50)
  s.task.onConnect = () => {
    if (predecessor.connected === null) throw new NotConnectedError('X', 'only one connection at a time')
  }
  void s.run.run()
  await until(() => predecessor.connected === false, 'the predecessor run is asked to end')
  predecessor.end(null)
  await until(() => s.run.connection.connected, 'it connects')
  s.task.send('a')
  await until(() => s.producer.kept.length === 1, 'it delivers')
  await s.run.stop()
})

test('a connect that is under way at the timeout is ended', async () => {
  const predecessor = formerRun()
  const s = successorOf(predecessor, {}, 20)
  s.task.onConnect = async (signal) => {
    if (predecessor.connected === null) await systemClock.sleep(60_000, signal)
  }
  void s.run.run()
  await until(() => predecessor.connected === false, 'the predecessor run is asked to end')
  predecessor.end(null)
  await until(() => s.run.state === 'running', 'it runs')
  await s.run.stop()
})

test('a stop before it is connected leaves the predecessor run as it is', async () => {
  const predecessor = formerRun()
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

test('a stop while the predecessor run ends delivers what only the successor has received', async () => {
  const predecessor = formerRun()
  const s = successorOf(predecessor)
  void s.run.run()
  await until(() => predecessor.connected !== null, 'the predecessor run is asked to end')
  s.task.send('a', 'b')
  const stopped = s.run.stop()
  predecessor.end(null)
  await stopped
  assert.equal(s.run.state, 'stopped')
  assert.deepEqual(s.producer.values(), ['a', 'b'])
  assert.deepEqual(s.offsets.writes.at(-1), { sequence: 2 })
})

test('a stop does not wait longer for a predecessor run that does not end than for anything else', async () => {
  const predecessor = formerRun()
  const s = successorOf(predecessor, { 'task.shutdown.graceful.timeout.ms': '50' })
  void s.run.run()
  await until(() => predecessor.connected !== null, 'the predecessor run is asked to end')
  await s.run.stop()
  assert.deepEqual([s.run.state, s.producer.started], ['stopped', false])
})

test('a successor that may never connect fails without having touched the predecessor run', async () => {
  const predecessor = formerRun()
  const s = successorOf(predecessor)
  s.task.onConnect = () => {
    throw new ConfigError('X', 'no such method')
  }
  await s.run.run()
  assert.deepEqual([s.run.state, s.failureKind, predecessor.connected], ['failed', 'config', null])
})

test('an error where nobody catches ends a successor that is still connecting', async () => {
  const predecessor = formerRun()
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

test('what the predecessor run says to it ends a successor', async () => {
  const predecessor = formerRun()
  const s = successorOf(predecessor)
  const ended = s.run.run()
  await until(() => predecessor.connected !== null, 'the predecessor run is asked to end')
  predecessor.fail(new DataError('X', 'a bad record'))
  await ended
  assert.deepEqual([s.run.state, s.failureKind, s.producer.started], ['failed', 'data', false])
})

test('a successor that was paused meanwhile takes over paused', async () => {
  const predecessor = formerRun()
  const s = successorOf(predecessor)
  void s.run.run()
  await until(() => predecessor.connected !== null, 'the predecessor run is asked to end')
  s.run.pause()
  s.task.send('a')
  predecessor.end(null)
  await until(() => s.run.state === 'paused', 'it is paused')
  assert.equal(s.task.polls, 0)
  s.run.resume()
  await until(() => s.producer.kept.length === 1, 'it delivers')
  await s.run.stop()
})

test('without a lease a successor waits before it has any effect', async () => {
  const predecessor = formerRun()
  const s = successorOf(predecessor)
  s.lease.close()
  void s.run.run()
  await until(() => predecessor.connected !== null, 'the predecessor run is asked to end')
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
  const what = resumable ? 'drops what it holds' : 'sends what it holds, without offsets'
  test(`lost to another worker meanwhile, a source that can${resumable ? '' : 'not'} resume ${what}`, async () => {
    const predecessor = formerRun()
    const s = scriptedRun({}, { predecessor, handOverTimeoutMs: 100, resumable })
    void s.run.run()
    await until(() => predecessor.connected !== null, 'the predecessor run is asked to end')
    s.task.send('a', 'b')
    const lost = s.run.lose()
    predecessor.end(null)
    await lost
    assert.deepEqual([s.producer.values(), s.offsets.writes, s.run.state], [delivered, [], 'stopped'])
  })
}

test('a run leaves a hand-over state once all is delivered', async () => {
  const s = scriptedRun()
  s.task.handOverState = 'ids'
  void s.run.run()
  s.task.send('a')
  await until(() => s.producer.kept.length === 1, 'it is delivered')
  await s.run.stop()
  assert.equal(s.run.handOverState, 'ids')
})

test('a run that gave something up leaves no hand-over state, as it would name what is not delivered', async () => {
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
  /** Ms of the overlap when `at` is told each time that it is looked. */
  async function lasts(at: (now: number) => { received: number; behind: boolean }, deadline = 10_000): Promise<number> {
    let now = 0
    let behind = false
    const stats = createTaskStats()
    const look = (): void => {
      const told = at(now)
      stats.messagesReceived = told.received
      behind = told.behind
    }
    const sleep = (ms: number): Promise<void> => {
      now += ms
      look()
      return Promise.resolve()
    }
    const clock: Clock = { now: () => now, monotonic: () => now, sleep }
    look()
    const predecessor: PredecessorRun = { behind: () => behind, finish: () => Promise.resolve(null) }
    await overlap({ stats, clock }, predecessor, deadline, new AbortController().signal)
    return now
  }

  test('for half a second, as what the server sent to the predecessor alone may be under way', async () => {
    assert.equal(await lasts(() => ({ received: 1, behind: false })), 500)
  })

  test('until the new one has received something, as a subscription may take effect late', async () => {
    assert.equal(await lasts((now) => ({ received: now >= 1200 ? 1 : 0, behind: false })), 1200)
    assert.equal(await lasts(() => ({ received: 0, behind: false })), 2000)
  })

  test('while the predecessor, its queue full, does not read what waits for it alone', async () => {
    assert.equal(await lasts((now) => ({ received: 1, behind: now < 3000 })), 3480)
  })

  test('no longer than until the time is up', async () => {
    assert.equal(await lasts(() => ({ received: 0, behind: true }), 4000), 4000)
  })
})
