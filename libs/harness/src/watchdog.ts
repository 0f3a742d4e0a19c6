import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('watchdog.sh', import.meta.url))

/**
 * Children must not survive this process, not even its kill -9, and a JVM does not notice the death of its parent. So
 * one small shell process holds the list of our children and the other end of a pipe. When the pipe closes, the shell
 * process ends the remaining children. It runs in its own session, which a terminal's Ctrl-C does not reach.
 */
let watchdog: ChildProcess | undefined
const children = new Set<number>()
const folders = new Set<string>()

function tell(order: string): void {
  if (watchdog === undefined) {
    startWatchdog()
    return // a new watchdog gets the whole list, this child included
  }
  watchdog.stdin?.write(`${order}\n`)
}

function startWatchdog(): void {
  const child = spawn('/bin/sh', [script], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
  watchdog = child
  const forget = (): void => {
    if (watchdog === child) watchdog = undefined
  }
  child.on('error', forget)
  child.on('exit', () => {
    forget()
    if (children.size > 0) startWatchdog() // somebody killed the watchdog
  })
  child.stdin.on('error', forget)
  // The watchdog must not keep this process alive.
  child.unref()
  if (child.stdin instanceof Socket) child.stdin.unref()
  for (const folder of folders) child.stdin.write(`d ${folder}\n`)
  for (const pid of children) child.stdin.write(`+ ${pid}\n`)
}

/** From now on the process group led by `pid` ends with this process: SIGTERM, and SIGKILL after 8 s. */
export function endWithUs(pid: number): void {
  children.add(pid)
  tell(`+ ${pid}`)
}

/** Reports that the child has ended by itself. Its pid may soon belong to a stranger. */
export function hasEnded(pid: number): void {
  if (children.delete(pid)) tell(`- ${pid}`)
}

/** Creates a folder in the system's temporary folder. It is removed after this process and its children have ended. */
export function temporaryFolder(purpose: string): string {
  const folder = mkdtempSync(join(tmpdir(), `tributary-${purpose}-`))
  folders.add(folder)
  tell(`d ${folder}`)
  return folder
}
