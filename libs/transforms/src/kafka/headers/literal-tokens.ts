const DELIMITERS = ':,{}[]"'

/** The tokens of org.apache.kafka.connect.data.Values: delimiters, and what is between them. A backslash makes a delimiter text. */
export class LiteralTokens {
  readonly original: string
  #at = 0
  /** Read, but not yet taken. */
  #next: string | null = null
  previous: string | null = null

  constructor(original: string) {
    this.original = original
  }

  get hasNext(): boolean {
    return this.#next !== null || this.#at < this.original.length
  }

  mark(): number {
    return this.#at - (this.#next?.length ?? 0)
  }

  rewind(to: number): void {
    this.#at = to
    this.#next = null
    this.previous = null
  }

  next(): string {
    this.previous = this.#next ?? this.#read()
    this.#next = null
    return this.previous
  }

  /** The text of the next `count` tokens. null: there are fewer, and none is taken. */
  take(count: number): string | null {
    const start = this.mark()
    for (let i = 0; i < count; i++) {
      if (!this.hasNext) {
        this.rewind(start)
        return null
      }
      this.next()
    }
    return this.original.slice(start, this.#at)
  }

  /** Takes the next token if it is `expected`. Blanks before it are dropped in any case. */
  takes(expected: string): boolean {
    if (this.#next === null) {
      if (!this.hasNext) return false
      this.#next = this.#read()
    }
    while (isBlank(this.#next) && this.#at < this.original.length) this.#next = this.#read()
    if (javaTrim(this.#next) !== expected) return false
    this.#next = null
    return true
  }

  #read(): string {
    const start = this.#at
    let escaped = false
    for (; this.#at < this.original.length; this.#at++) {
      const char = this.original[this.#at]!
      if (char === '\\') escaped = !escaped
      else if (!escaped && DELIMITERS.includes(char)) {
        if (start === this.#at) this.#at++
        break
      } else escaped = false
    }
    return this.original.slice(start, this.#at)
  }
}

export function isBlank(text: string): boolean {
  return javaTrim(text) === ''
}

/** Java's trim: characters up to U+0020. */
export function javaTrim(text: string): string {
  let [from, to] = [0, text.length]
  while (from < to && text.charCodeAt(from) <= 0x20) from++
  while (to > from && text.charCodeAt(to - 1) <= 0x20) to--
  return text.slice(from, to)
}
