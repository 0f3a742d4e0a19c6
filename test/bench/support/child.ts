import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Tree } from './tree.ts'

const BENCH = join(import.meta.dirname, '..')
/** Has V8 write a line for each collection, which costs next to nothing. */
const TRACE = '--trace-gc'

/** A process that reports its figures in lines of `key=value`. */
export interface Child {
  readonly pid: number
  /** Resolves with the text after `key=` in a line of the process's output. */
  value(key: string): Promise<string>
  /** The full collections of all its threads so far, if it runs on Node. */
  fullCollections(): number
  stop(): Promise<void>
}

/** Starts a process that ends with this one, because its stdin is a pipe from here. */
export function startProgram(command: string, args: readonly string[], env: Record<string, string> = {}): Child {
  const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    for (const look of waiting) look()
  })
  child.on('exit', () => waiting.forEach((look) => look()))
  return {
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
          if (child.exitCode !== null) {
            reject(new Error(`${[command, ...args].join(' ')} ended before it said ${key}=:\n${lines.join('\n')}`))
          }
        }
        waiting.add(look)
        look()
      }),
    fullCollections: () => lines.filter((line) => line.includes(': Mark-Compact ')).length,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

/** Starts a program of this folder, such as `grpc/bare-pipe.ts`, with Node's default flags. */
export function startScript(file: string, args: readonly string[]): Child {
  return startProgram(process.execPath, [TRACE, join(BENCH, file), ...args])
}

/** Starts a service of a checkout as `npm start` does. `main` is a path in the checkout. */
export function startService(tree: Tree, main: string, env: Record<string, string>): Child {
  const parent = { TRIBUTARY_PARENT_WATCH: '1' }
  const args = [TRACE, ...tree.flags, join(tree.folder, main)]
  return startProgram(process.execPath, args, { ...tree.environment, ...parent, ...env })
}
