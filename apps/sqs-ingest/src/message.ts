/** A queue that the task reads. */
export interface Queue {
  /** https://sqs.<region>.amazonaws.com/<account>/<name>, or that of another endpoint. */
  readonly url: string
  /** The setting that names the queue, as the user wrote it, if that has a reference `${…}`. It stands for the URL in source partitions. */
  readonly written?: string
  readonly name: string
  /** Whether SQS keeps the order within a message group and removes duplicates by id. */
  readonly fifo: boolean
}

/** A message attribute, as its sender gave it. `dataType` is String, Number or Binary, with a suffix of the sender's or none. */
export interface MessageAttribute {
  readonly dataType: string
  readonly stringValue?: string
  readonly binaryValue?: Uint8Array
}

/** One delivery of a message: what ReceiveMessage answered (SQS API reference, Message). */
export interface SqsMessage {
  readonly queue: Queue
  readonly id: string
  /** Names this delivery to DeleteMessage and ChangeMessageVisibility. A secret: no log line, header or offset carries it. */
  readonly receiptHandle: string
  /** At most 1 MiB in UTF-8. */
  readonly body: string
  readonly md5OfBody: string | null
  /** System attributes by their names in the API: SentTimestamp (ms), ApproximateReceiveCount, MessageGroupId, AWSTraceHeader. */
  readonly system: Readonly<Record<string, string | undefined>>
  readonly attributes: Readonly<Record<string, MessageAttribute>>
}
