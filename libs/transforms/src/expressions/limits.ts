/**
 * What one evaluation may do. A step is one node of the expression, one element of a list or map, or some characters of a text: at
 * most about 100 ns, so that an evaluation ends within about 0.05 s and makes at most some tens of MB, whatever the record holds.
 */
export const MAX_STEPS = 500_000

/** Levels of nesting of two values that are compared. */
export const MAX_DEPTH = 500

/** Regular expressions of one expression. To compile one takes up to some ms, in which nothing else runs. */
const MAX_PATTERNS = 10

/** Characters that are copied, or compared, in one step. */
const CHARS_A_STEP = 16

/** What making an error costs, which is up to 25 µs: `exists` may meet one in each element. */
const FAILURE_STEPS = 250

/** The evaluation of an expression failed on this record. `&&` and `||` may not need the failed side. */
export class EvaluationFailure extends Error {
  constructor(message: string) {
    charge(FAILURE_STEPS)
    super(message)
  }
}

/** The evaluation took more than it may. Nothing absorbs this. */
export class LimitExceeded extends Error {}

// Compilations and evaluations are synchronous, and none begins within another one.
let left = 0
let patterns = 0

export function beginCompilation(): void {
  patterns = 0
}

/** Counts a regular expression. Returns why there may be no more of them; null: this one may be. */
export function countPattern(): string | null {
  if (++patterns <= MAX_PATTERNS) return null
  return `it has more than ${MAX_PATTERNS} regular expressions; join those of one text with |`
}

export function beginEvaluation(): void {
  left = MAX_STEPS
}

/** Counts steps. Throws LimitExceeded. */
export function charge(steps: number): void {
  left -= steps
  if (left < 0) throw new LimitExceeded(`it takes more than ${MAX_STEPS} steps on this record`)
}

/** Counts a pass over characters, bytes or the like. */
export function chargeText(length: number): void {
  charge(length / CHARS_A_STEP)
}

/** Counts a search of a text in a text, which may at worst compare each of their characters with each. */
export function chargeSearch(length: number, wanted: number): void {
  charge(length / CHARS_A_STEP + (length * wanted) / 256)
}
