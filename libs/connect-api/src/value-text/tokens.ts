import { javaTrim } from '@tributary/config'

const DELIMITERS = new Set([':', ',', '{', '}', '[', ']', '"'])

/** Values.Parser: splits text at the delimiters `: , { } [ ] "` that no backslash escapes. Each delimiter is a token itself. */
export class Tokens {
  readonly original: string
  #index = 0
  #next: string | null = null
  #previous: string | null = null

  constructor(original: string) {
    this.original = original
  }

  get position(): number {
    return this.#index
  }

  get previous(): string | null {
    return this.#previous
  }

  mark(): number {
    return this.#index - (this.#next?.length ?? 0)
  }

  rewindTo(position: number): void {
    this.#index = position
    this.#next = null
    this.#previous = null
  }

  hasNext(): boolean {
    return this.#next !== null || this.#index < this.original.length
  }

  next(): string {
    this.#previous = this.#next ?? this.#consume()
    this.#next = null
    return this.#previous
  }

  /** The text of the next `count` tokens; null, and at the same place as before, if there are fewer. */
  nextOf(count: number): string | null {
    const start = this.mark()
    for (let i = 0; i < count; i++) {
      if (!this.hasNext()) {
        this.rewindTo(start)
        return null
      }
      this.next()
    }
    return this.original.slice(start, this.#index)
  }

  /** Goes behind the next token if it is this one. Blank tokens before it are passed over in any case. */
  canConsume(expected: string): boolean {
    if (this.#next === null) {
      if (!this.hasNext()) return false
      this.#next = this.#consume()
    }
    while (javaTrim(this.#next) === '' && this.#index < this.original.length) this.#next = this.#consume()
    if (javaTrim(this.#next) !== expected) return false
    this.#next = null
    return true
  }

  #consume(): string {
    const start = this.#index
    let escaped = false
    for (; this.#index < this.original.length; this.#index++) {
      const char = this.original[this.#index]!
      if (char === '\\') {
        escaped = !escaped
      } else if (!escaped && DELIMITERS.has(char)) {
        if (start === this.#index) this.#index++
        return this.original.slice(start, this.#index)
      } else {
        escaped = false
      }
    }
    return this.original.slice(start)
  }
}
