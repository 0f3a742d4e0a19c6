/** The number of characters by which a text is found. Shorter texts cannot be indexed. */
export const MIN_INDEXED_LENGTH = 4

/** A beginning or an end of a text is found from this many characters on, as where another program has cut it. */
export const MIN_PIECE_LENGTH = 8

/** A text that is searched for. */
export interface Indexed {
  readonly text: string
  /** Whether a beginning or an end of the text is found too. */
  readonly pieces: boolean
}

/** A part of a searched text: from `start` up to, and without, `end`. */
export type Span = readonly [start: number, end: number]

/**
 * Texts that are found in other texts, in upper and lower case. The time of a search depends on the length of the searched text
 * alone, not on the number and the length of the texts.
 */
export class SecretIndex {
  readonly #beginnings = new Beginnings()
  /** Ends are beginnings, from right to left. */
  readonly #ends = new Beginnings()

  get isEmpty(): boolean {
    return this.#beginnings.isEmpty
  }

  add({ text, pieces }: Indexed): void {
    const codes = folded(text)
    const minLength = pieces ? Math.min(codes.length, MIN_PIECE_LENGTH) : codes.length
    this.#beginnings.add({ text, codes, minLength })
    if (minLength < codes.length) this.#ends.add({ text, codes: codes.toReversed(), minLength })
  }

  /** Reverses one `add`. */
  remove({ text, pieces }: Indexed): void {
    const codes = folded(text)
    const minLength = pieces ? Math.min(codes.length, MIN_PIECE_LENGTH) : codes.length
    this.#beginnings.remove({ text, codes, minLength })
    if (minLength < codes.length) this.#ends.remove({ text, codes: codes.toReversed(), minLength })
  }

  /** Where the texts, and pieces of them, stand in a text. The spans may overlap. */
  spansIn(text: string): Span[] {
    const codes = folded(text)
    const spans = this.#beginnings.spansIn(codes)
    if (this.#ends.isEmpty) return spans
    const reversed = this.#ends.spansIn(codes.reverse())
    return [...spans, ...reversed.map(([start, end]): Span => [codes.length - end, codes.length - start])]
  }
}

interface Beginning {
  readonly text: string
  readonly codes: Uint16Array
  /** A beginning of the text is found from this many characters on. */
  readonly minLength: number
}

interface Entry extends Beginning {
  count: number
  /** The search that this entry was last found in, and its last place there. */
  search: number
  start: number
  end: number
  /** See `repeats`; null until needed. */
  repeats: Uint16Array | null
}

/** Finds the beginnings of texts. Four characters form a number, which selects the few texts that begin with them. */
class Beginnings {
  readonly #byStart = new Map<number, Entry[]>()
  /** How many entries have a number like this: most places of a text need no look into the map. Made with the first entry. */
  #alike: Uint32Array | null = null
  #search = 0

  get isEmpty(): boolean {
    return this.#byStart.size === 0
  }

  add(added: Beginning): void {
    const number = numberOf(added.codes)
    const entries = this.#byStart.get(number)
    const present = entries?.find((each) => isSame(each, added))
    if (present) {
      present.count++
      return
    }
    const entry: Entry = { ...added, count: 1, search: 0, start: 0, end: 0, repeats: null }
    this.#alike ??= new Uint32Array(ALIKE)
    this.#alike[alike(number)]!++
    if (entries) entries.push(entry)
    else this.#byStart.set(number, [entry])
  }

  remove(removed: Beginning): void {
    const number = numberOf(removed.codes)
    const entries = this.#byStart.get(number) ?? []
    const place = entries.findIndex((each) => isSame(each, removed))
    if (place < 0 || --entries[place]!.count > 0) return
    entries.splice(place, 1)
    this.#alike![alike(number)]!--
    if (entries.length === 0) this.#byStart.delete(number)
  }

  spansIn(codes: Uint16Array): Span[] {
    this.#search++
    const spans: Span[] = []
    const counts = this.#alike
    if (counts === null) return spans
    let number = 0
    for (let i = 0; i < codes.length; i++) {
      number = followed(number, codes[i]!)
      if (counts[alike(number)] === 0) continue
      const at = i + 1 - MIN_INDEXED_LENGTH
      const entries = at < 0 ? undefined : this.#byStart.get(number)
      if (entries === undefined) continue
      for (const entry of entries) {
        const length = lengthAt(codes, at, entry, this.#search)
        if (length >= entry.minLength) spans.push([at, at + length])
      }
    }
    return spans
  }
}

/** How many characters at `at` are those of the entry's beginning. No character of a text is compared twice with one entry. */
function lengthAt(searched: Uint16Array, at: number, entry: Entry, search: number): number {
  const { codes } = entry
  let length = 0
  if (entry.search === search && at < entry.end) {
    // The text up to the last end is known: it is what the entry has there.
    const known = (entry.repeats ??= repeats(codes))[at - entry.start]!
    if (known < entry.end - at) return known
    length = entry.end - at
  }
  while (length < codes.length && at + length < searched.length && searched[at + length] === codes[length]) length++
  entry.search = search
  entry.start = at
  entry.end = at + length
  return length
}

/** For each place of a text, how many characters from there on are those of its beginning: the Z-array (Gusfield, 1997). */
function repeats(codes: Uint16Array): Uint16Array {
  const result = new Uint16Array(codes.length)
  let start = 0
  let end = 0
  for (let at = 1; at < codes.length; at++) {
    let length = at < end ? Math.min(result[at - start]!, end - at) : 0
    while (at + length < codes.length && codes[at + length] === codes[length]) length++
    result[at] = length
    if (at + length > end) [start, end] = [at, at + length]
  }
  return result
}

function numberOf(codes: Uint16Array): number {
  return codes.subarray(0, MIN_INDEXED_LENGTH).reduce(followed, 0)
}

const ALIKE = 2 ** 16

function alike(number: number): number {
  return (number ^ (number >>> 13)) & (ALIKE - 1)
}

function isSame(a: Beginning, b: Beginning): boolean {
  return a.text === b.text && a.minLength === b.minLength
}

/** Adds a character's code and shifts the oldest one out. The number has 30 bits, which V8 stores without an object. */
function followed(number: number, code: number): number {
  return ((number << 8) ^ code) & 0x3fff_ffff
}

/** `A` is `a`, and base64's two last characters are those of base64url. */
const ASCII = Uint16Array.from({ length: 128 }, (_, code) => {
  const char = String.fromCharCode(code)
  return (char === '-' ? '+' : char === '_' ? '/' : char.toLowerCase()).charCodeAt(0)
})

/** The characters of a text as numbers that are equal where only case, or the kind of base64, differs. */
function folded(text: string): Uint16Array {
  const codes = new Uint16Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    codes[i] = code < 128 ? ASCII[code]! : lower(text[i]!)
  }
  return codes
}

/** A character whose lower case has two is kept. */
function lower(char: string): number {
  const changed = char.toLowerCase()
  return (changed.length === 1 ? changed : char).charCodeAt(0)
}
