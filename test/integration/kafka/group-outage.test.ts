import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { startKafka } from '@tributary/harness'
import { overlaps, UnitWorker, until, type Tick } from '../../support/unit-worker.ts'

const units = ['u0', 'u1', 'u2', 'u3']

test('a member without its broker runs on under the lease, then does nothing, and goes on when the broker is back', async (t) => {
  const broker = await startKafka()
  t.after(() => broker.stop())
  const ticks: Tick[] = []
  const groupId = `group-${randomUUID()}`
  const workers = ['a', 'b'].map((name) => {
    const onTick = (tick: Tick): void => void ticks.push(tick)
    const worker = new UnitWorker({ brokers: broker.brokers, groupId, name, units: () => units, onTick })
    t.after(() => worker.close())
    return worker
  })
  const [a, b] = workers as [UnitWorker, UnitWorker]
  await a.start()
  await b.start()
  const share = (): boolean => workers.every((worker) => worker.running.size === 2 && worker.member.leaseValid())
  await until('each runs its share', share)

  await broker.kill()
  assert.ok(share(), 'the lease outlives the connection')
  await until('no lease is left', () => workers.every((worker) => !worker.member.leaseValid()))
  const silence = ticks.length
  const waited = a.member.waitForLease(AbortSignal.timeout(60_000))
  await broker.start()
  await waited
  await until('each runs its share again', share)
  await until('all tick', () => new Set(ticks.slice(silence).map((tick) => tick.unit)).size === units.length)
  assert.deepEqual(overlaps(ticks), [])
})

test('members that start before their broker find each other when it comes', async (t) => {
  const broker = await startKafka()
  t.after(() => broker.stop())
  await broker.kill()
  const groupId = `group-${randomUUID()}`
  const workers = ['a', 'b'].map((name) => {
    const worker = new UnitWorker({
      brokers: broker.brokers,
      groupId,
      name,
      units: () => units,
      onTick: () => undefined,
    })
    t.after(() => worker.close())
    return worker
  })
  const starts = Promise.all(workers.map((worker) => worker.start()))
  await broker.start()
  await starts
  await until('each runs its share', () => workers.every((worker) => worker.running.size === 2))
})
