import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sharedKafka } from '@tributary/harness'
import { IsolationRig, type Worker } from './rig.ts'

const long = process.env['TRIBUTARY_TEST_LONG'] === '1'
const HOLD_MS = long ? 6000 : 1500

test('a task that held the event loop fails by name with its place in the code; other tasks continue', async (t) => {
  const { brokers } = await sharedKafka()
  const rig = await IsolationRig.create(t, brokers, long ? {} : { TRIBUTARY_EVENT_LOOP_STALL_MS: '500' })
  const worker = await rig.start()
  const healthy = await rig.connector('healthy')
  await rig.goesOn(healthy)
  const bad = await rig.connector('bad', { misbehaves: 'hold', 'hold.ms': String(HOLD_MS) })
  const { trace = '' } = await rig.reaches(bad, (status) => status.state === 'FAILED')
  assert.match(trace, /^FatalError \[EVENT_LOOP_HELD\]: task 0 of connector bad held the event loop for \d+\.\d s/)
  assert.match(trace, /^ {4}at holdTheLoop .*misbehaving-source\.ts/m)
  await rig.goesOn(healthy)
  assert.equal(rig.status(healthy)?.state, 'RUNNING')
  assert.equal(worker.child.exit, undefined)
})

test('a task whose callback never returns ends three processes, and then stays FAILED until it is restarted', async (t) => {
  const { brokers } = await sharedKafka()
  const rig = await IsolationRig.create(t, brokers)
  const replicas = [await superviseWorker(t, rig), await superviseWorker(t, rig)]
  const ends = (): number => replicas.reduce((sum, replica) => sum + replica.ends, 0)
  const healthy = [await rig.connector('healthy-1'), await rig.connector('healthy-2')]
  for (const connector of healthy) await rig.goesOn(connector)

  const bad = await rig.connector('bad', { misbehaves: 'hold' })
  const thrice = /^FatalError \[EVENT_LOOP_HELD_TOO_OFTEN\]: task 0 of connector bad has ended 3 processes/
  const { trace = '', stalls } = await rig.reaches(bad, (status) => thrice.test(status.trace ?? ''), 90_000)
  assert.equal(stalls, 3)
  assert.match(trace, /^ {4}at holdTheLoop .*misbehaving-source\.ts/m)
  assert.equal(ends(), 3, rig.lastLines())
  for (const connector of healthy) await rig.goesOn(connector)

  // Another configuration stands for a repaired plugin.
  await rig.configure(bad, { misbehaves: 'hold', 'hold.ms': '1' })
  const mended = await rig.reaches(bad, (status) => status.state === 'RUNNING')
  assert.equal(mended.stalls, undefined)
  await rig.goesOn(bad)
  assert.equal(ends(), 3)
})

test('the next owner keeps the count of ended processes; a healthy period or a restart clears the count', async (t) => {
  const { brokers } = await sharedKafka()
  const rig = await IsolationRig.create(t, brokers, { TRIBUTARY_TASK_RESTART_HEALTHY_MS: '2000' })
  const innocent = await rig.connector('innocent')
  const blocked = await rig.connector('blocked')
  const left = { state: 'FAILED', workerId: 'gone:1', generation: 1 } as const
  await rig.leave(innocent, { ...left, stalls: 2 })
  await rig.leave(blocked, { ...left, stalls: 3 })
  await rig.start()
  await rig.reaches(innocent, (status) => status.state === 'RUNNING' && status.stalls === 2)
  await rig.reaches(innocent, (status) => status.state === 'RUNNING' && status.stalls === undefined)

  await rig.reaches(blocked, (status) => /EVENT_LOOP_HELD_TOO_OFTEN/.test(status.trace ?? '') && status.stalls === 3)
  await rig.restart(blocked)
  await rig.reaches(blocked, (status) => status.state === 'RUNNING' && status.stalls === undefined)
  await rig.goesOn(blocked)
})

test('a process that was stopped and continued blames no task', async (t) => {
  const { brokers } = await sharedKafka()
  const rig = await IsolationRig.create(t, brokers, { TRIBUTARY_EVENT_LOOP_STALL_MS: '500' })
  const worker = await rig.start()
  const healthy = await rig.connector('healthy')
  await rig.goesOn(healthy)
  process.kill(worker.child.pid, 'SIGSTOP')
  await sleep(long ? 12_000 : 8000)
  process.kill(worker.child.pid, 'SIGCONT')
  await rig.goesOn(healthy)
  assert.equal(rig.status(healthy)?.state, 'RUNNING')
  assert.ok(!worker.log().includes('event_loop_'), worker.log())
})

/** Starts a worker again each time it ends, as an orchestrator does. */
async function superviseWorker(t: TestContext, rig: IsolationRig): Promise<{ readonly ends: number }> {
  const supervised = { ends: 0 }
  const watch = (worker: Worker): void => {
    void worker.child.exited.then(async () => {
      if (t.signal.aborted || rig.over) return
      supervised.ends++
      watch(await rig.start())
    })
  }
  watch(await rig.start())
  return supervised
}
