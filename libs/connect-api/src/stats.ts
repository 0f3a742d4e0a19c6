/** Counters and gauges of one task, kept as plain numbers by the task and the runtime, exported as metrics by the runtime. */
export interface TaskStats {
  /** Messages that the transport handed us. */
  messagesReceived: number
  bytesReceived: number
  /** By an opt-in drop policy only. */
  messagesDropped: number
  /** Received again after a resume and left out (`sequence_duplicate`). */
  duplicates: number
  /** Gaps in a numeric sequence, and how many messages they span. */
  sequenceGaps: number
  sequenceGapMessages: number
  /** Of these, gaps that a backfill has filled, and the messages that it brought. */
  gapsFilled: number
  gapMessagesFilled: number
  /** Messages written to disk because the queue was full; bytes there now, and their bound. */
  messagesSpilled: number
  spillBytes: number
  spillMaxBytes: number
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
    duplicates: 0,
    sequenceGaps: 0,
    sequenceGapMessages: 0,
    gapsFilled: 0,
    gapMessagesFilled: 0,
    messagesSpilled: 0,
    spillBytes: 0,
    spillMaxBytes: 0,
    queueSize: 0,
    queueCapacity: 0,
    queueBytes: 0,
    queueMaxBytes: 0,
    lastMessageAt: 0,
  }
}
