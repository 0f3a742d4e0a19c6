import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { NODE_ENVIRONMENT, NODE_FLAGS } from '@tributary/service/boot'

const ROOT = join(import.meta.dirname, '../..')

/** A process that reports its figures in lines of `key=value`. */
export interface Child {
  readonly process: ChildProcess
  readonly pid: number
  /** Resolves with the text after `key=` in a line of the process's output. */
  value(key: string): Promise<string>
  stop(): Promise<void>
}

/**
 * Starts a process that ends with this one, because its stdin is a pipe from here. `file` is a path from the
 * repository's root.
 */
export function start(file: string, args: readonly string[], env: Record<string, string> = {}): Child {
  const ours = file.startsWith('apps/')
  const child = spawn(process.execPath, [...(ours ? NODE_FLAGS : []), join(ROOT, file), ...args], {
    env: { ...process.env, ...(ours ? NODE_ENVIRONMENT : {}), ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    for (const look of waiting) look()
  })
  child.on('exit', () => waiting.forEach((look) => look()))
  return {
    process: child,
    pid: child.pid!,
    value: (key) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          for (const line of lines) {
            const found = new RegExp(`(?:^|\\s)${key}=(\\S+)`).exec(line)
            if (!found) continue
            waiting.delete(look)
            return resolve(found[1]!)
          }
          if (child.exitCode !== null) reject(new Error(`${file} ended before it said ${key}=:\n${lines.join('\n')}`))
        }
        waiting.add(look)
        look()
      }),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}
