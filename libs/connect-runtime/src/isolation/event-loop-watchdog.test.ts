import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { silentLog } from '../testing/run-scripted.ts'
import { EventLoopWatchdog } from './event-loop-watchdog.ts'
import { type PluginScope, runInScope } from './plugin-scope.ts'

const DEADLINE_MS = 30_000
const STALL_MS = 100
/** Enough answers to be certain, however little CPU the machine gives us. */
const MANY = 6

/** Holds the loop by doing `step` again and again until the watchdog has asked often enough who does that. */
async function failureOf(t: TestContext, step: () => void): Promise<Error | null> {
  await watched(t)
  let asked = 0
  let failure: Error | null = null
  const scope: PluginScope = {
    name: 'task 0 of connector c',
    unit: () => {
      asked++
      return null
    },
    fail: (error) => (failure = error as Error),
  }
  runInScope(scope, function holdTheLoop() {
    const startedAt = performance.now()
    while (asked < MANY && performance.now() - startedAt < DEADLINE_MS) step()
    holdFor(100)
  })
  await turned()
  return failure
}

async function watched(t: TestContext): Promise<void> {
  const watchdog = new EventLoopWatchdog({
    stallMs: STALL_MS,
    sessionTimeoutMs: 10 * DEADLINE_MS,
    connection: { brokers: ['127.0.0.1:1'], clientId: 'nobody' },
    statusTopic: 'none',
    workerId: 'test',
    log: silentLog,
  })
  t.after(() => watchdog.stop())
  // The thread starts while the loop turns.
  await sleep(300)
}

/** Once the watchdog's timer has run it has blamed whom it blames. */
async function turned(): Promise<void> {
  await sleep(STALL_MS)
}

function holdFor(ms: number): void {
  const from = performance.now()
  while (performance.now() - from < ms);
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

test('a loop that turns slowly, as many have much to do, is nobody in particular', async (t) => {
  const failures: string[] = []
  await watched(t)
  const ended = Promise.withResolvers<void>()
  let asked = 0
  const scopeOf = (name: string): PluginScope => ({
    name,
    unit: () => {
      asked++
      return null
    },
    fail: () => failures.push(name),
  })
  // All in one turn: immediates that are due run without a timer between them.
  for (let i = 0; i < 40; i++) {
    setImmediate(() => {
      runInScope(scopeOf(`task ${i}`), () => holdFor(20))
      if (i === 39) ended.resolve()
    })
  }
  await ended.promise
  await turned()
  assert.ok(asked >= 2, `asked ${asked} times`)
  assert.deepEqual(failures, [])
})
