/** Settles as `work` does; what takes longer than `afterMs` is told once, so that nobody has to guess what is waited for. */
export async function toldWhenSlow<T>(work: Promise<T>, afterMs: number, tell: () => void): Promise<T> {
  const timer = setTimeout(tell, afterMs)
  try {
    return await work
  } finally {
    clearTimeout(timer)
  }
}
