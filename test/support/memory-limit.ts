import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'

/** A limit of the memory of a process and all that it starts, as a container has it. */
export interface MemoryLimit {
  /** `cgroup`: the kernel kills above the limit. `heap`: only V8 has a limit, so the test must look at the resident set. */
  readonly by: 'cgroup' | 'heap'
  /** The command and arguments that run a program of Node within the limit. */
  command(args: readonly string[]): { readonly command: string; readonly args: readonly string[] }
  /** The most bytes that the processes had; null if nobody counts them. */
  peak(): number | null
}

interface Controller {
  readonly root: string
  readonly limit: string
  readonly peak: string
}

const CONTROLLERS: readonly Controller[] = [
  { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', peak: 'memory.max_usage_in_bytes' },
  { root: '/sys/fs/cgroup', limit: 'memory.max', peak: 'memory.peak' },
]

/** Makes a memory cgroup (version 1 or 2) if this process may, as root may; else limits V8's heap to half of `bytes`. */
export function limitMemory(t: TestContext, bytes: number): MemoryLimit {
  for (const { root, limit, peak } of CONTROLLERS) {
    const folder = join(root, `tributary-test-${randomUUID().slice(0, 8)}`)
    try {
      mkdirSync(folder)
    } catch {
      continue
    }
    if (!existsSync(join(folder, limit))) {
      rmdirSync(folder)
      continue
    }
    writeFileSync(join(folder, limit), String(bytes))
    t.after(() => rmdirSync(folder))
    return {
      by: 'cgroup',
      // The shell enters the cgroup before it becomes Node, so that Node sees the limit from its start.
      command: (args) => {
        const enter = `echo $$ > ${folder}/cgroup.procs && exec "$@"`
        return { command: 'sh', args: ['-c', enter, 'sh', process.execPath, ...args] }
      },
      peak: () => Number(readFileSync(join(folder, peak), 'utf8')),
    }
  }
  const heap = `--max-old-space-size=${Math.floor(bytes / 2 / 1024 / 1024)}`
  return { by: 'heap', command: (args) => ({ command: process.execPath, args: [heap, ...args] }), peak: () => null }
}
