import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { endWithUs, hasEnded } from './watchdog.ts'

export interface ChildOptions {
  readonly command: string
  readonly args: readonly string[]
  /** Standard output and error are appended here. */
  readonly logFile: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Keeps the child's standard input open as long as we live, for a child that ends when it closes. */
  readonly holdStdin?: boolean
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Child {
  readonly pid: number
  /** Set once it ended. */
  readonly exit: Exit | undefined
  readonly exited: Promise<Exit>
  /** SIGTERM, and SIGKILL `graceMs` later. Resolves when it is gone. */
  stop(graceMs?: number): Promise<void>
  /** Lets this process end although the child runs; the child ends then too. */
  unref(): void
  /** SIGKILL to it and its children. Resolves when it is gone. */
  kill(): Promise<void>
}

/**
 * Starts a process in a process group of its own (Ctrl-C in the terminal reaches only us, so that we choose the order
 * of stopping), with its output in a file, that ends when we do. Throws when the program cannot be started.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  mkdirSync(dirname(options.logFile), { recursive: true })
  const log = openSync(options.logFile, 'a')
  const child = spawn(options.command, options.args, {
    detached: true,
    stdio: [options.holdStdin === true ? 'pipe' : 'ignore', log, log],
    env: { ...process.env, ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  closeSync(log)
  const pid = child.pid
  if (pid === undefined) {
    throw await new Promise<Error>((resolve) => child.once('error', resolve))
  }
  endWithUs(pid)
  let exit: Exit | undefined
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      hasEnded(pid)
      exit = { code, signal }
      resolve(exit)
    })
  })
  // A child that went away breaks the pipe; its exit is what is told.
  child.stdin?.on('error', () => undefined)
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    child.ref()
    if (exit === undefined) signalGroup(pid, signal)
    await exited
  }
  return {
    pid,
    exited,
    get exit() {
      return exit
    },
    unref: () => child.unref(),
    kill: () => end('SIGKILL'),
    async stop(graceMs = 10_000) {
      const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), graceMs)
      await end('SIGTERM')
      clearTimeout(timer)
    },
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause
  }
}
