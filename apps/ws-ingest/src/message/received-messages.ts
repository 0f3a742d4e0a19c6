import { isUtf8 } from 'node:buffer'
import type { PackedBytes } from '@tributary/connect-api'

/** Consecutive messages of one connection that one read brought: all text, or all binary. */
export interface ReceivedMessages extends PackedBytes {
  /** ≥ 1 */
  readonly count: number
  readonly binary: boolean
  /** Every message is text in valid UTF-8. */
  readonly validText: boolean
}

/** One message as a run. `validated`: the UTF-8 of text was checked. */
export function oneMessage(content: Buffer, binary: boolean, validated: boolean): ReceivedMessages {
  const validText = !binary && (validated || isUtf8(content))
  return { bytes: content, bounds: Int32Array.of(0, content.length), count: 1, binary, validText }
}
