import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, ConfigError, NotConnectedError, type ReconnectPolicy } from '@tributary/connect-api'
import { Reconnector } from './reconnector.ts'
import { silentLog } from '@tributary/telemetry/testing'
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

test('the waits grow for a server that greets and then closes, and the limit of tries counts these connections', async () => {
  const { reconnector, waits, pass } = scene({ maxAttempts: 6 })
  await reconnector.connect(never)
  for (let i = 0; i < 6; i++) {
    reconnector.polled()
    pass(1500)
    reconnector.lost(CUT)
    await reconnector.connect(never)
  }
  assert.ok(waits[0]! <= 50, `the first try comes after ${waits[0]} ms`)
  assert.deepEqual(waits.slice(1), [1000, 1999, 3998, 7996, 15992])
  assert.throws(() => reconnector.lost(CUT), { code: 'RECONNECT_EXHAUSTED' })
})

test('a stream that was read to its end makes the next wait longer, and uses up no try', async () => {
  const { reconnector, waits, pass } = scene({ maxAttempts: 2 })
  const read = new NotConnectedError('X', 'the end', { readToEnd: true })
  await reconnector.connect(never)
  for (let i = 0; i < 4; i++) {
    pass(1500)
    reconnector.lost(read)
    await reconnector.connect(never)
  }
  assert.deepEqual(waits.slice(1), [1000, 1999, 3998])
  for (let i = 0; i < 2; i++) {
    reconnector.lost(CUT)
    await reconnector.connect(never)
  }
  assert.throws(() => reconnector.lost(CUT), { code: 'RECONNECT_EXHAUSTED' })
})

test('waits and tries start anew after a connection that lasted healthyMs', async () => {
  for (const [policy, lastsMs] of [
    [{}, 10_000],
    [{ healthyMs: 600 }, 600],
    [{ healthyMs: 0 }, 0],
  ] as const) {
    const { reconnector, waits, pass } = scene({ ...policy, maxAttempts: 2 })
    await reconnector.connect(never)
    for (let i = 0; i < 5; i++) {
      pass(lastsMs)
      reconnector.lost(CUT)
      await reconnector.connect(never)
    }
    assert.equal(waits.length, 5)
    assert.ok(waits.every((ms) => ms <= 100))
  }
})

test('the reconnector keeps a wait that the source asked for, also before the first try, up to an hour', async () => {
  const { reconnector, waits, pass } = scene()
  await reconnector.connect(never)
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

test('a held reconnector begins no try until it is released, and goes on then', async () => {
  const { reconnector } = scene()
  await reconnector.connect(never)
  reconnector.hold()
  assert.equal(reconnector.connected, true)
  reconnector.lost(CUT)
  const connected = reconnector.connect(never)
  await new Promise(setImmediate)
  assert.equal(reconnector.connected, false)
  reconnector.release()
  await connected
  assert.equal(reconnector.connected, true)
})

test('a patient reconnector takes a refusal for an outage until its time is over', () => {
  const { reconnector, pass } = scene()
  const refusal = new ConfigError('X', 'connection limit exceeded')
  assert.equal(reconnector.mayPass(refusal), false)
  reconnector.bePatient(1000)
  assert.equal(reconnector.mayPass(refusal), true)
  assert.equal(reconnector.mayPass(new Error('a bug')), false)
  pass(1000)
  assert.equal(reconnector.mayPass(refusal), false)
})
