/**
 * Whose records wait in the queues: the producer of one task, as the sender sees it. The producers of many tasks share a sender
 * and its queues.
 */
export interface SendOwner {
  /** Whether records may be sent now. While it is false they wait, and those of other owners pass. */
  maySend(): boolean
  /** Records of this owner wait because of `error`. `subject` is the same in `recovered`. */
  failing(subject: object, error: Error): void
  recovered(subject: object): void
  /** The broker forgot the sequence numbers of a partition to which records of this owner were on their way. */
  stateLost(topic: string, partition: number, mayBeWrittenTwice: boolean, error: Error): void
}
