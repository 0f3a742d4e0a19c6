import assert from 'node:assert/strict'
import { execFile, fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { isAlive, until } from '../../support/until.ts'

const run = promisify(execFile)
const fixture = fileURLToPath(new URL('../../fixtures/harness/children.fixture.ts', import.meta.url))

interface Started {
  readonly parent: ChildProcess
  readonly folder: string
  readonly children: readonly number[]
}

async function startParent(): Promise<Started> {
  const parent = fork(fixture, { execArgv: [] })
  const [message] = (await once(parent, 'message')) as [Omit<Started, 'parent'>]
  return { parent, ...message }
}

/** Process groups, because children of a child must be gone too. */
const allGone = (children: readonly number[]): boolean => children.every((pid) => !isAlive(-pid))

async function watchdogsOf(parent: ChildProcess): Promise<number[]> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,args='])
  return stdout
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, ppid, ...args]) => Number(ppid) === parent.pid && args.some((arg) => arg.endsWith('watchdog.sh')))
    .map(([pid]) => Number(pid))
}

test('a process that is killed by SIGKILL leaves no children and temporary folders', async () => {
  const { parent, folder, children } = await startParent()
  assert.ok(children.every((pid) => isAlive(-pid)))
  parent.kill('SIGKILL')
  await until('all children gone', () => allGone(children))
  await until('the folder is gone', () => !existsSync(folder))
})

test('a killed watchdog is replaced by one that knows all children', async () => {
  const { parent, children } = await startParent()
  const [first] = await until('a watchdog', async () =>
    (await watchdogsOf(parent)).length === 1 ? watchdogsOf(parent) : null,
  )
  process.kill(first ?? 0, 'SIGKILL')
  await until('another watchdog', async () => (await watchdogsOf(parent)).some((pid) => pid !== first))
  parent.kill('SIGKILL')
  await until('all children gone', () => allGone(children))
})
