import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { silentLog } from '../testing/run-scripted.ts'
import { EventLoopWatchdog } from './event-loop-watchdog.ts'
import { type PluginScope, runInScope } from './plugin-scope.ts'

const DEADLINE_MS = 30_000

/** Holds the loop by doing `step` again and again until the watchdog has asked who does that. */
async function failureOf(t: TestContext, step: () => void): Promise<Error | null> {
  const watchdog = new EventLoopWatchdog({
    stallMs: 100,
    sessionTimeoutMs: 10 * DEADLINE_MS,
    connection: { brokers: ['127.0.0.1:1'], clientId: 'nobody' },
    statusTopic: 'none',
    workerId: 'test',
    log: silentLog,
  })
  t.after(() => watchdog.stop())
  let asked = false
  let failure: Error | null = null
  const scope: PluginScope = {
    name: 'task 0 of connector c',
    unit: () => {
      asked = true
      return null
    },
    fail: (error) => (failure = error as Error),
  }
  // The thread starts while the loop turns.
  await new Promise((resolve) => setTimeout(resolve, 300))
  runInScope(scope, function holdTheLoop() {
    const startedAt = performance.now()
    while (!asked && performance.now() - startedAt < DEADLINE_MS) step()
    const heldAt = performance.now()
    while (performance.now() - heldAt < 100);
  })
  await new Promise((resolve) => setTimeout(resolve, 100))
  return failure
}

const word = new Int32Array(new SharedArrayBuffer(4))
const text = JSON.stringify(Array.from({ length: 1000 }, (_, i) => ({ i })))
const holders: Readonly<Record<string, () => void>> = {
  'a loop without end': () => {},
  'one that waits': () => void Atomics.wait(word, 0, 0, 20),
  'one that parses': () => void JSON.parse(text),
}

for (const [what, step] of Object.entries(holders)) {
  test(`${what} is interrupted, asked, and fails by name where it was`, async (t) => {
    const failure = await failureOf(t, step)
    assert.match(failure?.message ?? 'none', /^task 0 of connector c held the event loop for \d+\.\d s/)
    assert.match(failure?.stack ?? '', /^ {4}at .*holdTheLoop .*event-loop-watchdog\.test\.ts/m)
  })
}
