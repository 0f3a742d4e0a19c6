/**
 * Counters and gauges of one task. The task and the runtime keep them as plain numbers, and the runtime exports them as
 * metrics.
 */
export interface TaskStats {
  /** Messages that the transport delivered. */
  messagesReceived: number
  bytesReceived: number
  /** Messages dropped by the opt-in policy `drop`. No other policy drops. */
  messagesDropped: number
  /** Messages that are not JSON, so that no field, such as the key, could be read (`message_not_json`). */
  messagesNotJson: number
  /** Messages that were received again after a resume and left out (`sequence_duplicate`). */
  duplicates: number
  /** Gaps in a numeric sequence, and the number of messages in them. */
  sequenceGaps: number
  sequenceGapMessages: number
  /** How many of these gaps a backfill has filled, and the number of messages that it delivered. */
  gapsFilled: number
  gapMessagesFilled: number
  /** Messages written to disk because the queue was full, the bytes on disk now, and their limit. */
  messagesSpilled: number
  spillBytes: number
  spillMaxBytes: number
  /** Why the disk does not take what should be spilled, such as `the disk that holds /data/c/0 is full (ENOSPC)`; null: it does. */
  spillFailure: string | null
  queueSize: number
  queueCapacity: number
  queueBytes: number
  queueMaxBytes: number
  /** ms since the epoch of the last message; 0 before the first. */
  lastMessageAt: number
}

export function createTaskStats(): TaskStats {
  return {
    messagesReceived: 0,
    bytesReceived: 0,
    messagesDropped: 0,
    messagesNotJson: 0,
    duplicates: 0,
    sequenceGaps: 0,
    sequenceGapMessages: 0,
    gapsFilled: 0,
    gapMessagesFilled: 0,
    messagesSpilled: 0,
    spillBytes: 0,
    spillMaxBytes: 0,
    spillFailure: null,
    queueSize: 0,
    queueCapacity: 0,
    queueBytes: 0,
    queueMaxBytes: 0,
    lastMessageAt: 0,
  }
}
