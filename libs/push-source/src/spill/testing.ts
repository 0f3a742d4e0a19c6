import { type FileHandle, mkdir, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, type TestContext } from 'node:test'

/** Creates a folder that is removed after the test. */
export async function temporaryFolder(t: TestContext): Promise<string> {
  const around = await mkdtemp(join(tmpdir(), 'tributary-spill-'))
  t.after(() => rm(around, { recursive: true, force: true }))
  const dir = join(around, 'task')
  await mkdir(dir)
  return dir
}

/** Numbers from 0 up to 1, the same for the same seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Makes each write of a file take 9 bytes and then fail with ENOSPC. Returns a function that ends this. `dir`: any folder. */
export async function fillDisk(dir: string): Promise<() => void> {
  const handle = await open(join(dir, 'any'), 'w')
  const prototype = Object.getPrototypeOf(handle) as FileHandle
  await handle.close()
  await rm(join(dir, 'any'))
  const write = Reflect.get(prototype, 'write') as (...args: unknown[]) => Promise<unknown>
  let partly = new WeakSet()
  const failing = mock.method(prototype, 'write', async function (this: FileHandle, ...args: unknown[]) {
    if (partly.has(this)) {
      partly = new WeakSet()
      throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
    }
    partly.add(this)
    return write.call(this, args[0], args[1], 9, args[3])
  })
  return () => failing.mock.restore()
}
