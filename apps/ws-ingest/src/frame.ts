/** A connection as its records tell of it; shared by all its frames. */
export interface ConnectionInfo {
  /** From 1, over the task's run. */
  readonly number: number
}

/** One message as it came. Text is valid UTF-8, as the transport has checked it. */
export interface Frame {
  readonly data: Buffer
  readonly binary: boolean
  /** ms since the epoch */
  readonly receivedAt: number
  readonly connection: ConnectionInfo
}
