import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { loadavg } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, type Exit, startChild, temporaryFolder } from '@tributary/harness'
import type { Rounds, RoundsResult } from '../../fixtures/isolation/held-rounds.ts'
import { until } from '../../support/until.ts'

const PROGRAM = new URL('../../fixtures/isolation/held-rounds.ts', import.meta.url).pathname
const long = process.env['TRIBUTARY_TEST_LONG'] === '1'
/** Processes that compute without end, half of them at a lower priority. */
const SPINNERS = long ? 20 : 10
/** Rounds of each kind. */
const INNOCENT_ROUNDS = long ? 200 : 3
const GUILTY_ROUNDS = long ? 25 : 1
const STALL_MS = 100
/** A session that lets the watchdog end the process only after many minutes. */
const NO_END = { stallMs: STALL_MS, sessionTimeoutMs: 3_600_000 }
/** A session that lets the watchdog end the process after 560 ms, if one callback has taken 40 ms of CPU time. */
const SOON_ENDED = { stallMs: 400, sessionTimeoutMs: 800 }

test('a busy machine fails no task and ends no process', async (t) => {
  const kinds: Omit<Rounds, 'rounds'>[] = [
    { ...NO_END, what: 'computes', cpuMs: STALL_MS / 2 },
    { ...NO_END, what: 'collects', cpuMs: STALL_MS / 5 },
    { ...NO_END, what: 'writes', cpuMs: STALL_MS / 2 },
    { ...SOON_ENDED, what: 'computes', cpuMs: 20 },
    { ...SOON_ENDED, what: 'writes', cpuMs: 20 },
  ]
  const rounds = kinds.map((kind) => ({ ...kind, rounds: INNOCENT_ROUNDS }))
  const results = await runUnderLoad(t, rounds, stopAgainAndAgain)
  assert.ok(
    results.some(({ held }) => held > 0),
    'the machine held nobody up',
  )
  for (const { blamed } of results) assert.equal(blamed, 0)
})

test('at the same load a task that holds the event loop is found each time', async (t) => {
  const kinds: Omit<Rounds, 'rounds'>[] = [
    { ...NO_END, what: 'computes', cpuMs: STALL_MS * 3 },
    { ...NO_END, what: 'backtracks', cpuMs: STALL_MS * 3 },
    { ...NO_END, what: 'reacts to promises', cpuMs: STALL_MS * 3 },
    { ...NO_END, what: 'waits', cpuMs: STALL_MS * 20 },
    { ...NO_END, what: 'waits for a child', cpuMs: STALL_MS * 20 },
  ]
  const rounds = kinds.map((kind) => ({ ...kind, rounds: GUILTY_ROUNDS }))
  for (const { blamed } of await runUnderLoad(t, rounds)) assert.equal(blamed, GUILTY_ROUNDS)
})

for (const what of ['computes', 'waits', 'waits for a child'] as const) {
  test(`a process whose event loop does not return ends, and its log names the task: a task that ${what}`, async (t) => {
    const { log, exit } = await runRounds(t, [{ ...SOON_ENDED, what, cpuMs: 600_000, rounds: 1 }], () =>
      Promise.resolve(),
    )
    assert.deepEqual(exit, { code: null, signal: 'SIGKILL' })
    assert.match(log, /event=event_loop_not_returned by="task 0" .*held-rounds\.ts/)
  })
}

/** Runs rounds on a busy machine. `trouble` may disturb the process meanwhile. */
async function runUnderLoad(
  t: TestContext,
  rounds: readonly Rounds[],
  trouble?: (child: Child) => Promise<void>,
): Promise<RoundsResult[]> {
  const { log, exit } = await runRounds(t, rounds, async (child, folder) => {
    await startLoad(t, folder)
    void trouble?.(child)
  })
  t.diagnostic(`at a load of ${loadavg()[0]!.toFixed(0)}`)
  const results = [...log.matchAll(/^\{.*\}$/gm)].map(([line]) => JSON.parse(line) as RoundsResult)
  for (const result of results) t.diagnostic(JSON.stringify(result))
  assert.deepEqual(exit, { code: 0, signal: null }, log.split('\n').slice(-40).join('\n'))
  return results
}

/** Runs rounds in a process of their own. `ready` is called when the process has started, before the rounds begin. */
async function runRounds(
  t: TestContext,
  rounds: readonly Rounds[],
  ready: (child: Child, folder: string) => Promise<void>,
): Promise<{ readonly log: string; readonly exit: Exit }> {
  const folder = temporaryFolder('event-loop')
  const logFile = join(folder, 'rounds.log')
  const args = ['--expose-gc', PROGRAM, folder, JSON.stringify(rounds)]
  const child = await startChild({ command: process.execPath, args, logFile })
  t.after(() => child.kill())
  const log = (): string => readFileSync(logFile, 'utf8')
  await until('the process is ready', () => /^ready$/m.test(log()))
  await ready(child, folder)
  writeFileSync(join(folder, 'go'), '')
  const exit = await child.exited
  return { log: log(), exit }
}

async function stopAgainAndAgain(child: Child): Promise<void> {
  while (child.exit === undefined) {
    await sleep(500 + Math.random() * 2000, undefined, { ref: false })
    if (child.exit !== undefined) return
    process.kill(child.pid, 'SIGSTOP')
    await sleep(100 + Math.random() * 900)
    process.kill(child.pid, 'SIGCONT')
  }
}

async function startLoad(t: TestContext, folder: string): Promise<void> {
  const spin = ['sh', '-c', 'while :; do :; done']
  const write = `while :; do dd if=/dev/zero of=${join(folder, 'load')} bs=1M count=32 conv=fsync; done`
  const commands = Array.from({ length: SPINNERS }, (_, i) => (i % 2 === 0 ? spin : ['nice', ...spin]))
  for (const [command = '', ...args] of [...commands, ['sh', '-c', write]]) {
    const child = await startChild({ command, args, logFile: join(folder, 'load.log') })
    t.after(() => child.kill())
  }
}
