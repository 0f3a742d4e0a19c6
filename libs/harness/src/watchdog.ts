import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const script = fileURLToPath(new URL('watchdog.sh', import.meta.url))

/**
 * Children must not outlive this process, not even its kill -9, and a JVM does not notice that its parent is gone.
 * So one small shell process holds the list of our children and the other end of a pipe: when the pipe closes, it
 * ends those that are left. It sits in a session of its own, out of reach of a terminal's Ctrl-C.
 */
let watchdog: ChildProcess | undefined
const children = new Set<number>()
const folders = new Set<string>()

function tell(order: string): void {
  if (watchdog === undefined) {
    startWatchdog()
    return // started with the whole state, this order included
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
    if (children.size > 0) startWatchdog() // somebody killed it
  })
  child.stdin.on('error', forget)
  // It must not keep this process alive.
  child.unref()
  if (child.stdin instanceof Socket) child.stdin.unref()
  for (const folder of folders) child.stdin.write(`d ${folder}\n`)
  for (const pid of children) child.stdin.write(`+ ${pid}\n`)
}

/** From now on the process group led by `pid` ends with this process: SIGTERM, after 8 s SIGKILL. */
export function endWithUs(pid: number): void {
  children.add(pid)
  tell(`+ ${pid}`)
}

/** The child ended by itself; its number may belong to a stranger soon. */
export function hasEnded(pid: number): void {
  if (children.delete(pid)) tell(`- ${pid}`)
}

/** A new folder under the system's temporary one that is removed after this process and its children ended. */
export function temporaryFolder(purpose: string): string {
  const folder = mkdtempSync(join(tmpdir(), `tributary-${purpose}-`))
  folders.add(folder)
  tell(`d ${folder}`)
  return folder
}
