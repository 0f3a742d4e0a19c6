import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** The environment variable that marks every process of a run, whichever its present parent: `<run>/<stage>`. */
export const MARK = 'TRIBUTARY_TEST_RUN'

export interface Leftover {
  readonly pid: number
  readonly command: string
}

/** Only Linux shows the environment of other processes, so only there leftovers can be found. */
export const canFindLeftovers = existsSync('/proc/self/environ')

/** The processes with `mark`, without this one. */
export function processesMarked(mark: string): Leftover[] {
  if (!canFindLeftovers) return []
  return readdirSync('/proc').flatMap((entry) => {
    const pid = Number(entry)
    if (!Number.isInteger(pid) || pid === process.pid) return []
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
      if (!environment.includes(`${MARK}=${mark}`)) return []
      return [{ pid, command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() }]
    } catch {
      return [] // The process ended meanwhile, or belongs to another user.
    }
  })
}

/** Waits for the marked processes to end, and kills the rest. @returns the killed processes. */
export async function endLeftovers(mark: string, graceMs: number): Promise<Leftover[]> {
  const deadline = Date.now() + graceMs
  let left = processesMarked(mark)
  while (left.length > 0 && Date.now() < deadline) {
    await sleep(100)
    left = processesMarked(mark)
  }
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause
    }
  }
  return left
}
