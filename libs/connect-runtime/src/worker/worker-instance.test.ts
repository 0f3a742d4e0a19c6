import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { createLogger } from '@tributary/telemetry'
import type { MemberMetadata } from '../assignment/group.ts'
import { instanceIdOf, WorkerInstance } from './worker-instance.ts'

const lines: string[] = []
const log = createLogger({ name: 'test', stream: { write: (line) => lines.push(line) } })
const joinedWith = (lock?: string): MemberMetadata => ({ worker: 'a:1', cfg: '0', own: [], ...(lock && { lock }) })

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'tributary-instance-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

test('the instance id is the setting, or the name of the pod; the host name only as a pod of a StatefulSet has it', () => {
  const pod = { KUBERNETES_SERVICE_HOST: '10.0.0.1', HOSTNAME: 'ws-ingest-0' }
  assert.equal(instanceIdOf('mine', { ...pod, POD_NAME: 'p' }), 'mine')
  assert.equal(instanceIdOf(null, { ...pod, POD_NAME: 'p' }), 'p')
  assert.equal(instanceIdOf(null, pod), 'ws-ingest-0')
  for (const shared of [
    'ip-10-0-1-7.ec2.internal',
    'ip-10-0-1-7',
    'node',
    'gke-pool-1-8f2b',
    'ws-ingest-7d9c5b8f6d-x2x4z',
    'node-01',
  ]) {
    assert.equal(instanceIdOf(null, { ...pod, HOSTNAME: shared }), null, shared)
  }
  assert.equal(instanceIdOf(null, { ...pod, HOSTNAME: 'ws-ingest-12' }), 'ws-ingest-12')
  assert.equal(instanceIdOf(null, { HOSTNAME: 'laptop-0' }), null)
  assert.equal(instanceIdOf(null, {}), null)
})

test('who holds the lock of a predecessor knows that it has ended, and nobody else does', async (t) => {
  const [here, elsewhere] = [await folder(t), await folder(t)]
  const first = await WorkerInstance.acquire(here, 'tributary-ws-ingest-a', log)
  const { lock } = first!
  assert.equal(await WorkerInstance.acquire(here, 'tributary-ws-ingest-a', log), null, 'the first one runs')
  assert.match(lines.join(''), /event=group_instance_in_use .*A running process has the same group\.instance\.id/)
  first!.release()
  const second = await WorkerInstance.acquire(here, 'tributary-ws-ingest-a', log)
  t.after(() => second!.release())
  assert.equal(second!.ended(joinedWith(lock)), true)
  assert.equal(second!.ended(joinedWith()), false, 'the predecessor held no lock')
  const other = await WorkerInstance.acquire(elsewhere, 'tributary-ws-ingest-a', log)
  t.after(() => other!.release())
  assert.equal(other!.ended(joinedWith(lock)), false, 'the predecessor held the lock of another folder')
  assert.equal(
    await WorkerInstance.acquire('/dev/null/none', 'a', log),
    null,
    'a folder that cannot be written proves nothing',
  )
})
