import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, NotConnectedError, type ReconnectPolicy } from '@tributary/connect-api'
import { Reconnector } from './reconnector.ts'
import { silentLog } from '../testing/run-scripted.ts'
import { ScriptedTask } from '../testing/scripted-task.ts'

const POLICY: ReconnectPolicy = {
  enabled: true,
  intervalMs: 1000,
  backoffMaxMs: 60_000,
  maxAttempts: -1,
  connectTimeoutMs: 0,
}
const CUT = new NotConnectedError('X', 'cut')
const never = new AbortController().signal

/** A reconnector on a clock that advances by each sleep. `waits`: the sleeps in ms. */
function scene(policy: Partial<ReconnectPolicy> = {}): {
  reconnector: Reconnector
  waits: number[]
  pass(ms: number): void
} {
  let now = 1
  const waits: number[] = []
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: (ms) => {
      waits.push(ms)
      now += ms
      return Promise.resolve()
    },
  }
  const reconnector = new Reconnector({
    task: new ScriptedTask(),
    policy: { ...POLICY, ...policy },
    clock,
    log: silentLog,
    random: () => 0.999,
  })
  return { reconnector, waits, pass: (ms) => void (now += ms) }
}

test('the waits grow for a source that ends each connection after one record', async () => {
  const { reconnector, waits, pass } = scene()
  await reconnector.connect(never)
  for (let i = 0; i < 6; i++) {
    reconnector.polled(1)
    pass(10)
    reconnector.lost(CUT)
    await reconnector.connect(never)
  }
  assert.ok(waits[0]! <= 50, `the first try comes after ${waits[0]} ms`)
  assert.deepEqual(waits.slice(1), [1000, 1999, 3998, 7996, 15992])
})

test('after each connection that delivered for a while the first try comes after at most 50 ms', async () => {
  const { reconnector, waits, pass } = scene()
  await reconnector.connect(never)
  for (let i = 0; i < 5; i++) {
    reconnector.polled(1)
    pass(900)
    reconnector.lost(CUT)
    await reconnector.connect(never)
  }
  assert.equal(waits.length, 5)
  assert.ok(waits.every((ms) => ms <= 50))
})

test('the waits start anew after a healthy connection', async () => {
  const { reconnector, waits, pass } = scene()
  await reconnector.connect(never)
  for (let i = 0; i < 4; i++) {
    reconnector.polled(1)
    reconnector.lost(CUT)
    await reconnector.connect(never)
  }
  reconnector.polled(1)
  pass(60_000)
  reconnector.lost(CUT)
  await reconnector.connect(never)
  assert.ok(waits.at(-1)! <= 50)
})

test('the limit of tries counts only connections without a record', async () => {
  const { reconnector } = scene({ maxAttempts: 3 })
  await reconnector.connect(never)
  for (let i = 0; i < 10; i++) {
    reconnector.polled(1)
    reconnector.lost(CUT)
    await reconnector.connect(never)
  }
  for (let i = 0; i < 2; i++) {
    reconnector.lost(CUT)
    await reconnector.connect(never)
  }
  assert.throws(() => reconnector.lost(CUT), { code: 'RECONNECT_EXHAUSTED' })
})

test('the reconnector keeps a wait that the source asked for, also before the first try, up to an hour', async () => {
  const { reconnector, waits, pass } = scene()
  await reconnector.connect(never)
  reconnector.polled(1)
  pass(10_000)
  reconnector.lost(new NotConnectedError('X', 'retry: 3000', { retryAfterMs: 3000 }))
  await reconnector.connect(never)
  reconnector.lost(new NotConnectedError('X', 'Retry-After: 1000000', { retryAfterMs: 1e9 }))
  await reconnector.connect(never)
  assert.deepEqual(waits, [3000, 3_600_000])
})

test('the backoff wins over a shorter wait of the source', async () => {
  const { reconnector, waits } = scene()
  await reconnector.connect(never)
  for (let i = 0; i < 3; i++) {
    reconnector.lost(new NotConnectedError('X', 'retry: 1500', { retryAfterMs: 1500 }))
    await reconnector.connect(never)
  }
  assert.deepEqual(waits, [1500, 1500, 1999])
})
