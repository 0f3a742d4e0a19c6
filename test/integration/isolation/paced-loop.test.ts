import test from 'node:test'
import { sharedKafka } from '@tributary/harness'
import { IsolationRig } from './rig.ts'
import { until } from '../../support/until.ts'

test('the loop of a worker is paced while a task keeps it busy, and the other tasks go on', async (t) => {
  const { brokers } = await sharedKafka()
  const rig = await IsolationRig.create(t, brokers)
  const worker = await rig.start()
  const healthy = await rig.connector('healthy')
  await rig.goesOn(healthy)
  const paced = async (): Promise<string | undefined> => {
    const metrics = await fetch(`http://${worker.address()}/metrics`)
    return /^tributary_event_loop_paced (\d)$/m.exec(await metrics.text())?.[1]
  }
  const busy = await rig.connector('busy', { misbehaves: 'busy' })
  await until('the loop is paced', async () => (await paced()) === '1')
  await rig.goesOn(healthy)
  await rig.configure(busy, {})
  await until('the loop is let go', async () => (await paced()) === '0')
  await rig.goesOn(healthy)
})
