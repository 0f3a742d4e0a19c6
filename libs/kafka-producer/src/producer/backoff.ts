import { setTimeout as sleep } from 'node:timers/promises'

/** Wait before try `failedTries + 1` in ms: doubles from `baseMs` to ten times that, ±20 % so that producers do not retry in step (KIP-580). */
export function backoffMs(baseMs: number, failedTries: number, random: () => number = Math.random): number {
  const full = Math.min(baseMs * 10, baseMs * 2 ** Math.max(0, failedTries - 1))
  return full * (0.8 + 0.4 * random())
}

/** Rejects with the signal's reason as soon as it aborts; the promise itself goes on and its outcome is then ignored. */
export function abortable<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) onAbort()
    else signal.addEventListener('abort', onAbort, { once: true })
    void promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort))
  })
}

/** Rejects with the signal's reason. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch((error: unknown) => {
    throw signal.aborted ? signal.reason : error
  })
}
