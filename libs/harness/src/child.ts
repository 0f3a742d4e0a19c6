import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { endWithUs, hasEnded } from './watchdog.ts'

export interface ChildOptions {
  readonly command: string
  readonly args: readonly string[]
  /** Standard output and standard error are appended to this file. */
  readonly logFile: string
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /**
   * Keeps the child's standard input open as long as this process lives. For a child that ends when its input closes.
   */
  readonly holdStdin?: boolean
}

export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Child {
  readonly pid: number
  /** Set when the child has ended. */
  readonly exit: Exit | undefined
  readonly exited: Promise<Exit>
  /** Sends SIGTERM, and SIGKILL `graceMs` later. Resolves when the child is gone. */
  stop(graceMs?: number): Promise<void>
  /** Lets this process end while the child runs. The child ends then, too. */
  unref(): void
  /** Sends SIGKILL to the child and its children. Resolves when the child is gone. */
  kill(): Promise<void>
}

/**
 * Starts a process whose output goes to a file and that ends when this process ends. The child has its own process
 * group, so that Ctrl-C in the terminal reaches only this process, which then chooses the order of stopping. What it
 * writes is for this user alone. Throws when the program cannot be started.
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const child = privately(() => {
    mkdirSync(dirname(options.logFile), { recursive: true })
    const log = openSync(options.logFile, 'a')
    const started = spawn(options.command, options.args, {
      detached: true,
      stdio: [options.holdStdin === true ? 'pipe' : 'ignore', log, log],
      env: { ...process.env, ...options.env },
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    })
    closeSync(log)
    return started
  })
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
  // A write to a dead child breaks the pipe. The child's exit reports the death.
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

/** What `start` writes, and what the processes that it starts will write, is for this user alone: Kafka's data holds passwords. */
export function privately<T>(start: () => T): T {
  const before = process.umask(0o077)
  try {
    return start()
  } finally {
    process.umask(before)
  }
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause
  }
}
