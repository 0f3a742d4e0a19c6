/** Waits until `condition` holds. Rejects after `timeoutMs` with `what`, the condition in words. The timeout is no expectation. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`)
    await pause(20)
  }
}

/** Waits until a number has not changed for a second. */
export async function settled(read: () => number, what: string): Promise<number> {
  let last = read()
  let since = performance.now()
  await until(
    () => {
      if (read() !== last) [last, since] = [read(), performance.now()]
      return performance.now() - since > 1000
    },
    what,
    60_000,
  )
  return last
}

/** Calls `look` each 20 ms for `ms` ms, to check that something does not happen. */
export async function throughout(ms: number, look: () => void | Promise<void>): Promise<void> {
  const end = performance.now() + ms
  while (performance.now() < end) {
    await look()
    await pause(20)
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
