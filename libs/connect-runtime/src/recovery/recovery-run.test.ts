import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemClock } from '@tributary/async'
import { MemoryBudget, type SourcePlugin } from '@tributary/connect-api'
import { silentLog } from '@tributary/telemetry/testing'
import { currentScope, runOutsideScopes } from '../isolation/plugin-scope.ts'
import { FakeOffsets } from '../testing/fake-offsets.ts'
import { FakeProducer } from '../testing/fake-producer.ts'
import { ScriptedTask } from '../testing/scripted-task.ts'
import type { TaskEnvironment } from '../unit/task-factory.ts'
import { startRecoveryRun } from './recovery-run.ts'

function environmentOf(producer: FakeProducer): TaskEnvironment {
  return {
    producers: { create: () => producer },
    groupId: 'g',
    offsets: new FakeOffsets(),
    admin: { createTopic: () => Promise.resolve() },
    exactlyOnceSource: true,
    dataDir: '/nonexistent',
    handOverTimeoutMs: 1000,
    memory: new MemoryBudget(Infinity),
    clock: systemClock,
    log: silentLog,
    defaults: {},
    providers: {},
  }
}

test('all code of a recovery task runs in its scope, also what an acknowledgement and a stop call', async () => {
  const task = new ScriptedTask()
  const producer = new FakeProducer()
  const { sendTo } = producer
  producer.sendTo = (...args) => runOutsideScopes(() => sendTo.apply(producer, args))
  const seen: Record<string, string | undefined> = {}
  const note = (method: string): void => void (seen[method] = currentScope()?.name)
  task.onConnect = () => {
    note('connect')
    task.send('a')
  }
  task.commitRecord = () => {
    note('commitRecord')
    acknowledged.resolve()
  }
  const { drain } = task
  task.drain = () => {
    note('drain')
    drain.call(task)
  }
  const acknowledged = Promise.withResolvers<void>()
  const createTask = (): ScriptedTask => {
    note('createTask')
    return task
  }
  const plugin: SourcePlugin = {
    class: 'test.Feed',
    aliases: [],
    version: '1',
    taskClass: 'test.FeedTask',
    connector: { spec: { keys: {} }, taskConfigs: (config) => [config] },
    createTask,
  }
  const id = { connector: 'feed', task: 0 }
  const run = await startRecoveryRun(environmentOf(producer), { id, plugin, createRecoveryTask: createTask, props: {} })
  await acknowledged.promise
  await run.stop()
  assert.equal(await run.ended, null)
  const scope = 'the recovery task of task 0 of connector feed'
  assert.deepEqual(seen, { createTask: scope, connect: scope, commitRecord: scope, drain: scope })
})
