import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { describe, test } from 'node:test'
import { FolderLock } from './folder-lock.ts'
import { temporaryFolder } from './testing.ts'

const OWNER = `
const { FolderLock } = await import(process.argv[1])
console.log((await FolderLock.acquire(process.argv[2])) === null ? 'locked' : 'owner')
setInterval(() => {}, 1000)
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
  test('has one owner at a time within a process, and leaves nothing', async (t) => {
    const dir = await temporaryFolder(t)
    const first = await FolderLock.acquire(dir)
    assert.ok(first)
    assert.equal(await FolderLock.acquire(dir), null)
    await first.release()
    assert.deepEqual(await readdir(dir), [])
    const second = await FolderLock.acquire(dir)
    assert.ok(second)
    await second.release()
  })

  test('keeps another process out, and is free in the moment its owner is killed', async (t) => {
    const dir = await temporaryFolder(t)
    const owner = await startOwner(dir)
    assert.equal(owner.said, 'owner')
    assert.equal(await FolderLock.acquire(dir), null)
    await owner.kill()
    const next = await FolderLock.acquire(dir)
    assert.ok(next)
    const late = await startOwner(dir)
    assert.equal(late.said, 'locked')
    await late.kill()
    await next.release()
  })

  test('is one lock, however many want it while it goes from hand to hand', async (t) => {
    const dir = await temporaryFolder(t)
    let owners = 0
    let handed = 0
    const contend = async (): Promise<void> => {
      while (handed < 50) {
        const lock = await FolderLock.acquire(dir)
        if (lock === null) continue
        assert.equal(++owners, 1)
        handed++
        await new Promise((resolve) => setImmediate(resolve))
        owners--
        await lock.release()
      }
    }
    await Promise.all([contend(), contend(), contend()])
  })

  test('says why it cannot be', async () => {
    await assert.rejects(FolderLock.acquire('/nowhere/at/all'), { code: 'ENOENT' })
  })
})
