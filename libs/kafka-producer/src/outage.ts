/**
 * Tells once when an outage starts and once when it is over, however many partitions and tries are part of it: down
 * while any subject (a partition, the coordinator, a topic's metadata) has failed and not yet succeeded again.
 */
export class Outage {
  readonly #failing = new Set<unknown>()
  readonly #report: (state: 'down' | 'up', error: Error | null) => void

  constructor(report: (state: 'down' | 'up', error: Error | null) => void) {
    this.#report = report
  }

  failed(subject: unknown, error: Error): void {
    const first = this.#failing.size === 0
    this.#failing.add(subject)
    if (first) this.#report('down', error)
  }

  /** Also for a subject that will not be tried again. */
  over(subject: unknown): void {
    if (this.#failing.size === 0) return
    if (this.#failing.delete(subject) && this.#failing.size === 0) this.#report('up', null)
  }
}
