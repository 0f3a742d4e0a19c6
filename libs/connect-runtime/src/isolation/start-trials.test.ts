import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { StartTrials } from './start-trials.ts'

let folder: string
let now: number
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'start-trials-'))
  now = 0
})
afterEach(() => rmSync(folder, { recursive: true }))

const files = (): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.includes('/')) // prettier-ignore
const id = (connector: string) => ({ connector, task: 0 })
const never = (): Promise<never> => new Promise(() => {})

/** A process that reads what the ones before have left. */
async function startProcess(group = 'g'): Promise<StartTrials> {
  const trials = new StartTrials(folder, group, () => now)
  await trials.load()
  now += 10_000
  return trials
}

test('a process that ends while a task starts alone counts against the task, until it has started', async () => {
  for (let deaths = 0; deaths < 3; deaths++) {
    const trials = await startProcess()
    assert.equal(trials.deaths(id('a')), deaths)
    // The process ends here.
    void trials.run(id('a'), never)
  }
  assert.equal(statSync(join(folder, '.starts')).mode & 0o777, 0o700)
  assert.equal((await startProcess('other')).deaths(id('a')), 0)
  const trials = await startProcess()
  assert.equal(trials.deaths(id('a')), 3)
  await trials.run(id('a'), () => Promise.resolve())
  assert.equal(trials.deaths(id('a')), 0)
  assert.equal((await startProcess()).deaths(id('a')), 0)
  assert.deepEqual(files(), [])
})

test('a start that fails is no end of the process', async () => {
  const trials = await startProcess()
  await assert.rejects(trials.run(id('a'), () => Promise.reject(new Error('x'))))
  assert.deepEqual(files(), [])
})

test('tasks that start together are not blamed: neither at once, nor within a second', async () => {
  const trials = await startProcess()
  void trials.run(id('a'), never)
  void trials.run(id('b'), never)
  assert.deepEqual(files(), [])
  const others = await startProcess()
  await others.run(id('a'), () => Promise.resolve())
  now += 500
  void others.run(id('b'), never)
  assert.deepEqual(files(), [])
})

test('a suspect keeps its count when others start beside it, and waits until it can start alone', async () => {
  void (await startProcess()).run(id('a'), never)
  const trials = await startProcess()
  void trials.run(id('a'), never)
  void trials.run(id('b'), never)
  assert.equal((await startProcess()).deaths(id('a')), 1)
  const later = await startProcess()
  await later.turn(id('b'))
  const started = Promise.withResolvers<void>()
  const other = later.run(id('b'), () => started.promise)
  let turned = false
  const turn = later.turn(id('a')).then(() => (turned = true))
  await new Promise((resolve) => setTimeout(resolve, 150))
  assert.equal(turned, false)
  started.resolve()
  await other
  now += 1000
  await turn
})

test('a user who restarts the task, and a day, clear the count', async () => {
  void (await startProcess()).run(id('a'), never)
  const trials = await startProcess()
  trials.forget(id('a'))
  assert.deepEqual([trials.deaths(id('a')), files()], [0, []])
  void (await startProcess()).run(id('a'), never)
  const [file] = files()
  utimesSync(join(folder, file!), 1, 1)
  assert.equal((await startProcess()).deaths(id('a')), 0)
  assert.deepEqual(files(), [])
})
