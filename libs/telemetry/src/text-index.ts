/** The number of characters by which a text is found. Shorter texts cannot be indexed. */
export const MIN_INDEXED_LENGTH = 4

/**
 * Texts that are replaced in other texts. The time of a search depends on the length of the searched text, not on the
 * number of texts: the last four characters form a number, which selects the few texts that may start there.
 */
export class TextIndex {
  /** The texts by their first four characters, each with the number of times that it was added. */
  readonly #byStart = new Map<number, Map<string, number>>()

  add(text: string): void {
    const start = startOf(text)
    let texts = this.#byStart.get(start)
    if (!texts) this.#byStart.set(start, (texts = new Map<string, number>()))
    texts.set(text, (texts.get(text) ?? 0) + 1)
  }

  /** Reverses one `add`. */
  remove(text: string): void {
    const start = startOf(text)
    const texts = this.#byStart.get(start)
    const count = texts?.get(text) ?? 0
    if (count > 1) texts!.set(text, count - 1)
    else texts?.delete(text)
    if (texts?.size === 0) this.#byStart.delete(start)
  }

  /** Replaces all texts. Of texts that start at the same place the longest is replaced. */
  replaceIn(searched: string, by: string): string {
    if (this.#byStart.size === 0) return searched
    let result = ''
    let from = 0
    let start = 0
    for (let i = 0; i < searched.length; i++) {
      start = followed(start, searched.charCodeAt(i))
      const at = i + 1 - MIN_INDEXED_LENGTH
      if (at < from) continue
      const texts = this.#byStart.get(start)
      const length = texts === undefined ? 0 : longestAt(searched, at, texts.keys())
      if (length === 0) continue
      result += searched.slice(from, at) + by
      from = at + length
    }
    return from === 0 ? searched : result + searched.slice(from)
  }
}

function startOf(text: string): number {
  let start = 0
  for (let i = 0; i < MIN_INDEXED_LENGTH; i++) start = followed(start, text.charCodeAt(i))
  return start
}

/** Adds a character's code and shifts the oldest one out. The number has 30 bits, which V8 stores without an object. */
function followed(start: number, code: number): number {
  return ((start << 8) ^ code) & 0x3fff_ffff
}

function longestAt(searched: string, at: number, texts: Iterable<string>): number {
  let longest = 0
  for (const text of texts) if (text.length > longest && searched.startsWith(text, at)) longest = text.length
  return longest
}
