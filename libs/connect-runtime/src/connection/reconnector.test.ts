import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Clock, NotConnectedError, type ReconnectPolicy } from '@tributary/connect-api'
import { ConnectionKeeper } from './reconnector.ts'
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

/** A keeper on a clock that moves when someone sleeps on it; `waits` are those sleeps, in ms. */
function scene(policy: Partial<ReconnectPolicy> = {}): {
  keeper: ConnectionKeeper
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
  const keeper = new ConnectionKeeper({
    task: new ScriptedTask(),
    policy: { ...POLICY, ...policy },
    clock,
    log: silentLog,
    random: () => 0.999,
  })
  return { keeper, waits, pass: (ms) => void (now += ms) }
}

test('a source that delivers one record and then ends is asked less and less often', async () => {
  const { keeper, waits, pass } = scene()
  await keeper.connect(never)
  for (let i = 0; i < 6; i++) {
    keeper.delivered()
    pass(10)
    keeper.lost(CUT)
    await keeper.connect(never)
  }
  assert.ok(waits[0]! <= 100, `the first try comes after ${waits[0]} ms`)
  assert.deepEqual(waits.slice(1), [1000, 1999, 3998, 7996, 15992])
})

test('after each connection that delivered for a while the first try comes within 100 ms', async () => {
  const { keeper, waits, pass } = scene()
  await keeper.connect(never)
  for (let i = 0; i < 5; i++) {
    keeper.delivered()
    pass(900)
    keeper.lost(CUT)
    await keeper.connect(never)
  }
  assert.equal(waits.length, 5)
  assert.ok(waits.every((ms) => ms <= 100))
})

test('a healthy connection ends the growth of the waits', async () => {
  const { keeper, waits, pass } = scene()
  await keeper.connect(never)
  for (let i = 0; i < 4; i++) {
    keeper.delivered()
    keeper.lost(CUT)
    await keeper.connect(never)
  }
  keeper.delivered()
  pass(60_000)
  keeper.lost(CUT)
  await keeper.connect(never)
  assert.ok(waits.at(-1)! <= 100)
})

test('the limit of tries counts those without any record', async () => {
  const { keeper } = scene({ maxAttempts: 3 })
  await keeper.connect(never)
  for (let i = 0; i < 10; i++) {
    keeper.delivered()
    keeper.lost(CUT)
    await keeper.connect(never)
  }
  for (let i = 0; i < 2; i++) {
    keeper.lost(CUT)
    await keeper.connect(never)
  }
  assert.throws(() => keeper.lost(CUT), { code: 'RECONNECT_EXHAUSTED' })
})
