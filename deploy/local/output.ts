/** Between two lines of state where the output is no terminal, in ms. */
const plainEveryMs = 5000

/**
 * What the user sees: lines that stay, and below them one line of state that is written over in a terminal.
 * Where the output is a file or a pipe, the state is an ordinary line now and then.
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
    // A line that wraps cannot be written over. A terminal that does not know its width says 0.
    this.#live = text.slice(0, Math.max(20, (this.#stream.columns || 80) - 1))
    this.#stream.write(`\r\x1b[K${this.#live}`)
  }

  /** Takes the state away. */
  clearLive(): void {
    if (this.#live !== '') this.#stream.write('\r\x1b[K')
    this.#live = ''
  }

  /** Leaves the last state where it is. */
  endLive(): void {
    if (this.#live !== '') this.#stream.write('\n')
    this.#live = ''
  }
}
