import assert from 'node:assert/strict'
import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'node:test'
import type { SendListener } from '@tributary/kafka-producer'
import { scriptedRun } from '../testing/run-scripted.ts'

const NO_FAILURES = { offset: () => 0n, failures: [] }

test('a task that its delivery fails is told of its end in its own scope, whatever code brings the outcome', async () => {
  const scopes = new AsyncLocalStorage<string>()
  const outcomes: Record<string, (listener: SendListener) => void> = {
    'not sent': (listener) => listener.notSent(new Error('refused')),
    'its task cannot take the acknowledgement': (listener) => listener.sent(NO_FAILURES),
  }
  for (const [name, tell] of Object.entries(outcomes)) {
    const { task, run, producer } = scopes.run('of the task', () => scriptedRun())
    let scopeOfAbort: string | undefined
    const { poll } = task
    task.poll = (signal) => {
      signal.addEventListener('abort', () => (scopeOfAbort = scopes.getStore()))
      return poll.call(task, signal)
    }
    task.commitRecord = () => assert.fail('a bug of the plugin')
    producer.sendTo = (listener) => scopes.exit(() => setImmediate(tell, listener))
    task.onConnect = () => task.send('a')
    await scopes.run('of the task', () => run.run())
    assert.deepEqual([run.state, scopeOfAbort], ['failed', 'of the task'], name)
  }
})
