import type { Late } from './sequences.ts'
import type { Gap } from './gap.ts'

/** Gaps that are watched for their messages; the oldest is watched no more for the next. */
const MAX_OPEN = 1024

/** A gap some of whose messages have not come yet. */
interface OpenGap {
  readonly gap: Gap
  left: number
}

/** The latest gaps of numbers, until all that was missing has come. */
export class OpenGaps {
  /** In the order in which they were found. */
  readonly #open: OpenGap[] = []

  add(gap: Gap): void {
    if (gap.to === null || gap.count === null) return
    if (this.#open.length === MAX_OPEN) this.#open.shift()
    this.#open.push({ gap, left: Number(gap.count) })
  }

  /** Takes a message that was missing; the gap when it was the last one of it. */
  arrived({ stream, number }: Late): Gap | null {
    const at = this.#open.findLastIndex(({ gap }) => gap.stream === stream && gap.from! <= number && number <= gap.to!)
    const open = this.#open[at]
    if (open === undefined || --open.left > 0) return null
    this.#open.splice(at, 1)
    return open.gap
  }
}
