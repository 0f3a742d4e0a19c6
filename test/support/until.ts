import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Waits until `condition` returns a value other than undefined, null and false, and returns that value. Checks every
 * 50 ms. Throws an Error that contains `what` after `timeoutMs`, which is no expectation.
 */
export async function until<T>(
  what: string,
  condition: () => T | Promise<T>,
  timeoutMs = 60_000,
): Promise<Exclude<T, undefined | null | false>> {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value !== undefined && value !== null && value !== false) {
      return value as Exclude<T, undefined | null | false>
    }
    if (Date.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain: ${what}`)
    await sleep(50)
  }
}

/** Whether a process (or, with a negative number, a process group) exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
