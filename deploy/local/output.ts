/** The time between two lines of state where the output is no terminal, in ms. */
const plainEveryMs = 5000

/**
 * What the user sees. Lines from `say` stay. Below them, a terminal shows one line of state that `live` overwrites. A file or a
 * pipe gets the state as an ordinary line, at most every 5 s.
 */
export class Output {
  readonly #stream: NodeJS.WriteStream
  readonly #now: () => number
  #live = ''
  #plainAt = -Infinity

  constructor(stream: NodeJS.WriteStream, now: () => number = () => performance.now()) {
    this.#stream = stream
    this.#now = now
  }

  readonly say = (line: string): void => {
    if (this.#live === '') {
      this.#stream.write(`${line}\n`)
      return
    }
    this.#stream.write(`\r\x1b[K${line}\n${this.#live}`)
  }

  live(text: string): void {
    if (!this.#stream.isTTY) {
      if (this.#now() - this.#plainAt < plainEveryMs) return
      this.#plainAt = this.#now()
      this.#stream.write(`${text}\n`)
      return
    }
    // A line that wraps cannot be overwritten. A terminal that does not know its width says 0.
    this.#live = text.slice(0, Math.max(20, (this.#stream.columns || 80) - 1))
    this.#stream.write(`\r\x1b[K${this.#live}`)
  }

  /** Removes the line of state. */
  clearLive(): void {
    if (this.#live !== '') this.#stream.write('\r\x1b[K')
    this.#live = ''
  }

  /** Leaves the last state on the terminal, as an ordinary line. */
  endLive(): void {
    if (this.#live !== '') this.#stream.write('\n')
    this.#live = ''
  }
}
