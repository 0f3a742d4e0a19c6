/** A condition that others wait for: not paused, not suspended, room in a buffer. `open` wakes everybody who waits. */
export class Gate {
  #open: boolean
  #waiting: (() => void)[] = []

  constructor(open: boolean) {
    this.#open = open
  }
  get isOpen(): boolean {
    return this.#open
  }
  open(): void {
    this.#open = true
    if (this.#waiting.length === 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const wake of waiting) wake()
  }
  close(): void {
    this.#open = false
  }
  /** Resolves once the gate is open. Rejects with the signal's reason, also when the gate is open. */
  async passed(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    while (!this.#open) {
      await new Promise<void>((resolve, reject) => {
        const abort = (): void => reject(signal.reason as Error)
        signal.addEventListener('abort', abort, { once: true })
        this.#waiting.push(() => {
          signal.removeEventListener('abort', abort)
          resolve()
        })
      })
    }
  }
}
