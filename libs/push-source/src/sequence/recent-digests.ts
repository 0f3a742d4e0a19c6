import type { MissingRanges } from './missing-ranges.ts'
import { plus, type SequenceNumber } from './number.ts'

/** Digests of 4 bytes in base64url: the last 64 numbers, or up to 680 messages of one number. 3.7 kB at most. */
const MAX_NUMBERS = 64
const MAX_EQUAL = 680
/** Entries to search for those of the last `MAX_NUMBERS` numbers; late messages stand between them. */
const MAX_SEARCHED = 2 * MAX_NUMBERS

const FIRST_SIZE = 16
const ENTRY_BYTES = 8

/** Bytes that the digests of all streams of a task may take together. Once they are used up no stream gets more room. */
export class DigestBudget {
  left: number

  constructor(bytes: number) {
    this.left = bytes
  }
}

/**
 * The numbers and digests of the latest messages of a stream, in a ring. A number is kept modulo 2^32, so an entry has 8 bytes. The
 * digest of a message is all that tells a message sent again from another one with the same number. Adding is on the hot path, so
 * the index for `has` is built on the first call and dropped when nobody has asked for a whole turn of the ring.
 */
export class RecentDigests {
  readonly #max: number
  readonly #budget: DigestBudget | null
  #numbers = NO_ENTRIES
  #digests = NO_ENTRIES
  /** The memory of `#digests`, little endian on every platform of Node that Tributary runs on. */
  #bytes = NO_BYTES
  /** Entry of the next message. */
  #next = 0
  /** Entries that hold a message. */
  #held = 0
  #added = 0
  /** The last so many numbers grew by one. */
  #run = 0
  #lastKey = 0
  /** Entry by digest. Two numbers with one digest are so rare that the earlier entry may be forgotten: it counts as not held. */
  #index: Map<number, number> | null = null
  #addedUnasked = 0
  /** `#added` when the present number came; messages since then have this number, or are late. */
  #marked = 0
  #cut = false

  /** `max`: most messages to remember (≥ 1). `budget`: shared by the streams of a task; null: `max` alone is the bound. */
  constructor(max: number, budget: DigestBudget | null = null) {
    this.#max = max
    this.#budget = budget
  }

  /** Messages that are remembered. */
  get size(): number {
    return this.#held
  }

  /** Whether every message with the present number, the one of the last `mark`, is remembered. */
  get complete(): boolean {
    return !this.#cut && this.#added - this.#marked <= this.#held
  }

  add(number: SequenceNumber, digest: number): void {
    if (this.#next === this.#numbers.length) this.#turn()
    const at = this.#next++
    if (this.#index !== null) this.#reindex(this.#index, at, digest)
    const key = low32(number)
    this.#run = key === this.#lastKey + 1 ? this.#run + 1 : 1
    this.#lastKey = key
    this.#numbers[at] = key
    this.#digests[at] = digest
    this.#added++
    if (this.#held < this.#numbers.length) this.#held++
  }

  /** Whether a message with this number and digest is remembered. */
  has(number: SequenceNumber, digest: number): boolean {
    this.#index ??= this.#built()
    this.#addedUnasked = 0
    const at = this.#index.get(digest | 0)
    return at !== undefined && this.#numbers[at] === low32(number)
  }

  /** The next message has another number than those before. */
  mark(): void {
    this.#marked = this.#added
    this.#cut = false
  }

  clear(): void {
    this.#next = this.#held = this.#added = this.#marked = this.#run = 0
    this.#cut = false
    this.#index = null
  }

  /** Gives the bytes back to the budget. Call this when the stream is forgotten. */
  release(): void {
    this.clear()
    if (this.#budget) this.#budget.left += this.#numbers.length * ENTRY_BYTES
    this.#numbers = this.#digests = NO_ENTRIES
    this.#bytes = NO_BYTES
  }

  /**
   * The digests of the numbers up to `last`, or of the messages with the number `last` if numbers are not `contiguous`, as text for
   * an offset: `<last>:<digests>`. `~` before the digests says that more messages had this number. '' if nothing is remembered.
   * `missing`: the numbers that never came; the text begins behind any other number without a digest.
   */
  textOf(last: SequenceNumber, contiguous: boolean, missing: MissingRanges | null = null): string {
    if (contiguous && this.#run >= MAX_NUMBERS && this.#next >= MAX_NUMBERS && this.#lastKey === low32(last)) {
      return `${last}:${this.#bytes.toString('base64url', 4 * (this.#next - MAX_NUMBERS), 4 * this.#next)}`
    }
    const { digests, cut } = contiguous ? this.#lastNumbers(last, missing) : this.#withNumber(last)
    if (digests.length === 0) return ''
    const text = Buffer.from(digests.buffer, digests.byteOffset, digests.byteLength).toString('base64url')
    return `${last}:${cut ? '~' : ''}${text}`
  }

  /**
   * Replaces all entries by those of `textOf`. Returns the numbers that the text shows to be missing, each as its distance below
   * `last`, the lowest number first. A text that belongs to another number counts as none: someone has altered the offset.
   */
  restore(last: SequenceNumber, contiguous: boolean, text: string): number[] {
    this.clear()
    const [, number, cut, digits] = TEXT.exec(text) ?? []
    if (number !== String(last) || digits === undefined) {
      // Messages with the number `last` were delivered, and nobody remembers which.
      this.#cut = !contiguous
      return []
    }
    const bytes = Buffer.from(digits, 'base64url')
    const missing: number[] = []
    for (let at = 0; at + 4 <= bytes.length; at += 4) {
      const digest = bytes.readInt32LE(at)
      const distance = contiguous ? (bytes.length - at) / 4 - 1 : 0
      if (digest === 0) missing.push(distance)
      else this.add(low32(last) - distance, digest)
    }
    this.#cut = cut === '~'
    return missing
  }

  #lastNumbers(last: SequenceNumber, missing: MissingRanges | null): Found {
    const window = new Int32Array(MAX_NUMBERS)
    let from = MAX_NUMBERS
    const key = low32(last)
    const searched = Math.min(this.#held, MAX_SEARCHED)
    for (let i = 1; i <= searched; i++) {
      const at = this.#before(i)
      const distance = (key - this.#numbers[at]!) >>> 0
      if (distance >= MAX_NUMBERS) continue
      const slot = MAX_NUMBERS - 1 - distance
      window[slot] ||= this.#digests[at]!
      if (slot < from) from = slot
    }
    const gaps = missing?.within({ from: plus(last, 1 - MAX_NUMBERS), to: last }) ?? []
    for (let slot = MAX_NUMBERS - 1; slot >= from; slot--) {
      const number = plus(last, slot + 1 - MAX_NUMBERS)
      if (window[slot] === 0 && !gaps.some((gap) => gap.from <= number && number <= gap.to)) from = slot + 1
    }
    return { digests: window.subarray(from), cut: false }
  }

  #withNumber(last: SequenceNumber): Found {
    const key = low32(last)
    const since = Math.min(this.#added - this.#marked, this.#held)
    const found: number[] = []
    for (let i = 1; i <= since && found.length <= MAX_EQUAL; i++) {
      const at = this.#before(i)
      if (this.#numbers[at] === key) found.push(this.#digests[at]!)
    }
    const cut = !this.complete || found.length > MAX_EQUAL
    return { digests: Int32Array.from(found.slice(0, MAX_EQUAL)), cut }
  }

  /** The entry of the message that was added `steps` ago; 1: the last one. */
  #before(steps: number): number {
    const at = this.#next - steps
    return at < 0 ? at + this.#numbers.length : at
  }

  /** At the end of the ring: grows it, or begins again at its start. */
  #turn(): void {
    const size = this.#numbers.length
    const grown = Math.min(this.#max, size === 0 ? FIRST_SIZE : 2 * size)
    const bytes = (grown - size) * ENTRY_BYTES
    // A stream without any room could tell nothing apart, so the first entries are outside the budget.
    const allowed = this.#budget === null || size === 0 || this.#budget.left >= bytes
    if (grown === size || !allowed) {
      this.#next = 0
      return
    }
    if (this.#budget) this.#budget.left -= bytes
    this.#numbers = resized(this.#numbers, grown)
    this.#digests = resized(this.#digests, grown)
    this.#bytes = Buffer.from(this.#digests.buffer)
  }

  #reindex(index: Map<number, number>, at: number, digest: number): void {
    if (++this.#addedUnasked > this.#numbers.length) {
      this.#index = null
      return
    }
    const old = this.#digests[at]!
    if (index.get(old) === at) index.delete(old)
    index.set(digest | 0, at)
  }

  #built(): Map<number, number> {
    const index = new Map<number, number>()
    for (let i = this.#held; i >= 1; i--) {
      const at = this.#before(i)
      index.set(this.#digests[at]!, at)
    }
    return index
  }
}

interface Found {
  readonly digests: Int32Array
  readonly cut: boolean
}

const TEXT = /^(-?\d+):(~?)([\w-]+)$/
const NO_ENTRIES = new Int32Array(0)
const NO_BYTES = Buffer.alloc(0)

function resized(array: Int32Array, size: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(size)
  grown.set(array)
  return grown
}

/** The number modulo 2^32, as a signed integer. */
function low32(number: SequenceNumber): number {
  return typeof number === 'number' ? number | 0 : Number(BigInt.asIntN(32, number))
}
