import assert from 'node:assert/strict'
import { execSync } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLog } from '@tributary/telemetry/testing'
import { EventLoopWatchdog } from './event-loop-watchdog.ts'
import { threadCpuMs } from './held-callback.ts'
import { currentScope, type PluginScope, runInScope } from './plugin-scope.ts'

// test/crash/isolation/busy-machine.test.ts tests the same on a busy machine. That test also has endless promise reactions,
// which node:test makes impossible here: it gives each reaction an async id of its own.

const STALL_MS = 100
/** The code holds the loop up to this often, because the watchdog's thread may run too late to see one hold. */
const TRIES = 10

async function watch(t: TestContext): Promise<void> {
  const watchdog = new EventLoopWatchdog({
    stallMs: STALL_MS,
    sessionTimeoutMs: 3_600_000,
    connection: { brokers: ['127.0.0.1:1'], clientId: 'nobody' },
    statusTopic: 'none',
    workerId: 'test',
    log: silentLog,
  })
  t.after(() => watchdog.stop())
  // The thread needs turns of the loop to start.
  await sleep(300)
}

function scopeOf(name: string, fail: (error: Error) => void, asked: () => void = () => {}): PluginScope {
  const unit = (): null => {
    asked()
    return null
  }
  return { name, unit, fail: (error) => fail(error as Error) }
}

function compute(cpuMs: number): void {
  const until = threadCpuMs() + cpuMs
  while (threadCpuMs() < until);
}

/** The watchdog fails the scope that held the loop when its timer runs next. */
function nextTurn(): Promise<void> {
  return sleep(STALL_MS)
}

test('the thread starts with the first code of a plugin, not before', async (t) => {
  let threads = 0
  const count = (): void => void threads++
  subscribe('worker_threads', count)
  t.after(() => unsubscribe('worker_threads', count))
  await watch(t)
  assert.equal(threads, 0)
  runInScope(
    scopeOf('task 0 of connector c', () => {}),
    () => {},
  )
  assert.equal(threads, 1)
})

const holders: Readonly<Record<string, () => void>> = {
  'a task that computes': () => compute(4 * STALL_MS),
  'a task with a regular expression that backtracks': () => {
    for (let i = 0; i < 40; i++) /^(a+)+$/.test(`${'a'.repeat(22)}b`)
  },
  'a task that waits': () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 6 * STALL_MS),
  'a task that waits for a child process': () => void execSync(`sleep ${(6 * STALL_MS) / 1000}`),
}

for (const [what, hold] of Object.entries(holders)) {
  test(`${what} and holds the loop fails by name, with the stack of the code`, async (t) => {
    await watch(t)
    let failure: Error | null = null
    const scope = scopeOf('task 0 of connector c', (error) => {
      failure = error
      assert.equal(currentScope(), scope, 'the end of the task runs code of its plugin')
    })
    for (let i = 0; i < TRIES && failure === null; i++) {
      runInScope(scope, function holdTheLoop() {
        hold()
      })
      await nextTurn()
    }
    const { message, stack } = failure ?? new Error('no scope failed')
    assert.match(message, /^task 0 of connector c held the event loop for \d+\.\d s/)
    assert.match(stack ?? '', /^ {4}at .*holdTheLoop .*event-loop-watchdog\.test\.ts/m)
  })
}

test('no task fails when a turn is long because many tasks share it', async (t) => {
  const failures: string[] = []
  await watch(t)
  let asked = 0
  const ended = Promise.withResolvers<void>()
  // All immediates run in one turn, because no timer runs between immediates that are due.
  for (let i = 0; i < 40; i++) {
    const scope = scopeOf(
      `task ${i}`,
      () => failures.push(`task ${i}`),
      () => asked++,
    )
    setImmediate(() => {
      runInScope(scope, () => compute(STALL_MS / 5))
      if (i === 39) ended.resolve()
    })
  }
  await ended.promise
  await nextTurn()
  assert.ok(asked >= 2, `asked ${asked} times`)
  assert.deepEqual(failures, [])
})
