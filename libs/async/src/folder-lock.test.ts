import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test, type TestContext } from 'node:test'
import { FolderLock } from './folder-lock.ts'

const LONG = process.env['TRIBUTARY_TEST_LONG'] === '1'

const OWNER = `
const { FolderLock } = await import(process.argv[1])
console.log((await FolderLock.acquire(process.argv[2])) === null ? 'locked' : 'owner')
setInterval(() => {}, 1000)
`

async function temporaryFolder(t: TestContext): Promise<string> {
  const around = await mkdtemp(join(tmpdir(), 'tributary-lock-'))
  t.after(() => rm(around, { recursive: true, force: true }))
  const dir = join(around, 'task')
  await mkdir(dir)
  return dir
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** Acquires the lock `times` times. Each time it creates a file, which must not exist, and removes the file before the release. */
const CONTENDER = `
const { unlink, writeFile } = await import('node:fs/promises')
const { FolderLock } = await import(process.argv[1])
const [, , dir, mark, times] = process.argv
for (let taken = 0; taken < Number(times); ) {
  const lock = await FolderLock.acquire(dir)
  if (lock === null) {
    await new Promise(setImmediate)
    continue
  }
  taken++
  await writeFile(mark, '', { flag: 'wx' })
  await unlink(mark)
  lock.release()
}
`

async function startOwner(dir: string): Promise<{ said: string; kill(): Promise<void> }> {
  const child = spawn(
    process.execPath,
    ['--input-type=module', '-e', OWNER, '--', new URL('./folder-lock.ts', import.meta.url).href, dir],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const [said] = (await once(child.stdout, 'data')) as [Buffer]
  return {
    said: said.toString().trim(),
    kill: async () => {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

describe('the lock of a folder', () => {
  test('has one owner at a time within a process, and leaves no file in the folder', async (t) => {
    const dir = await temporaryFolder(t)
    const first = await FolderLock.acquire(dir)
    assert.ok(first)
    assert.equal(await FolderLock.acquire(dir), null)
    first.release()
    assert.deepEqual(await readdir(dir), [], 'the folder is empty')
    const second = await FolderLock.acquire(dir)
    assert.ok(second)
    second.release()
  })

  test('excludes another process, and is free as soon as its owner is killed', async (t) => {
    const dir = await temporaryFolder(t)
    const owner = await startOwner(dir)
    assert.equal(owner.said, 'owner')
    assert.equal(await FolderLock.acquire(dir), null)
    await owner.kill()
    const next = await FolderLock.acquire(dir)
    assert.ok(next)
    const third = await startOwner(dir)
    assert.equal(third.said, 'locked')
    await third.kill()
    next.release()
  })

  test('is not lost when its owner tries to acquire it again', async (t) => {
    const dir = await temporaryFolder(t)
    const lock = await FolderLock.acquire(dir)
    assert.equal(await FolderLock.acquire(dir), null)
    const other = await startOwner(dir)
    assert.equal(other.said, 'locked')
    await other.kill()
    lock!.release()
  })

  test('has one owner at a time when three contenders of a process pass it on', async (t) => {
    const dir = await temporaryFolder(t)
    let owners = 0
    let handed = 0
    const contend = async (): Promise<void> => {
      while (handed < 50) {
        const lock = await FolderLock.acquire(dir)
        if (lock === null) {
          await turn()
          continue
        }
        assert.equal(++owners, 1)
        handed++
        await turn()
        owners--
        lock.release()
      }
    }
    await Promise.all([contend(), contend(), contend()])
  })

  test('has one owner at a time when three processes pass it on', async (t) => {
    const dir = await temporaryFolder(t)
    const mark = join(await temporaryFolder(t), 'mark')
    const module = new URL('./folder-lock.ts', import.meta.url).href
    const args = ['--input-type=module', '-e', CONTENDER, '--', module, dir, mark, LONG ? '3000' : '500']
    const contenders = [1, 2, 3].map(() => spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] }))
    const codes = await Promise.all(contenders.map(async (child) => (await once(child, 'exit'))[0] as unknown))
    assert.deepEqual(codes, [0, 0, 0])
  })

  test('rejects with the reason of SQLite', async () => {
    await assert.rejects(FolderLock.acquire('/nowhere/at/all'), /unable to open database file/)
  })
})
