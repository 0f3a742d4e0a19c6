import type { SourceTask } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'

/** Bytes of UTF-8; on its way to another worker the memo is part of a record of the status topic. */
const MAX_MEMO_BYTES = 64 * 1024

/** What a task says to its successor. Without it that one has the offsets alone, which may cost duplicates and never a loss. */
export function memoOf(task: SourceTask, log: Logger): string | null {
  try {
    const memo = task.handOver?.() ?? null
    const bytes = memo === null ? 0 : Buffer.byteLength(memo)
    if (bytes <= MAX_MEMO_BYTES) return memo
    log.warn('hand_over_memo_dropped', { bytes, max_bytes: MAX_MEMO_BYTES })
  } catch (error) {
    log.warn('hand_over_memo_dropped', { error })
  }
  return null
}
