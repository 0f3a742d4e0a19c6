import assert from 'node:assert/strict'
import test from 'node:test'
import { sharedKafka, temporaryFolder } from '@tributary/harness'
import { IsolationRig, type Worker } from './rig.ts'

test('a task whose configuration ends three processes stays FAILED; those that run beside it are not blamed', async (t) => {
  const { brokers } = await sharedKafka()
  const rig = await IsolationRig.create(t, brokers, {
    TRIBUTARY_DATA_DIR: temporaryFolder('deadly-start'),
    // The process returns under its id, so the group does not wait for the end of the dead one's session.
    TRIBUTARY_GROUP_INSTANCE_ID: 'one',
  })
  let ends = 0
  const supervise = (worker: Worker): void => {
    void worker.child.exited.then(async () => {
      if (t.signal.aborted || rig.over) return
      ends++
      supervise(await rig.start())
    })
  }
  supervise(await rig.start())
  const healthy = [await rig.connector('healthy-1'), await rig.connector('healthy-2')]
  for (const connector of healthy) await rig.goesOn(connector)

  const bad = await rig.connector('bad', { misbehaves: 'exit' })
  const { trace = '' } = await rig.reaches(bad, (status) => status.state === 'FAILED', 60_000)
  assert.match(
    trace,
    /^FatalError \[PROCESS_ENDED_TOO_OFTEN\]: 3 processes have ended while task 0 of connector bad started/,
  )
  assert.equal(ends, 3, rig.lastLines())
  for (const connector of healthy) {
    await rig.goesOn(connector)
    assert.equal(rig.status(connector)?.state, 'RUNNING')
  }

  // Another configuration stands for a repaired one.
  await rig.configure(bad, {})
  await rig.reaches(bad, (status) => status.state === 'RUNNING')
  await rig.goesOn(bad)
  assert.equal(ends, 3)
})
