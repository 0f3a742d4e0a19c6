import type { Props, SourceOffset, SourcePlugin, SourceRecord, TaskStats } from '@tributary/connect-api'

/** A real server that the source under test reads. It numbers its messages from 1, and counts what the transport took. */
export interface Feed {
  /** Keys of the connector's configuration that point at the feed. */
  readonly props: Props
  /** Sends the next `count` messages to every open stream as fast as it takes them; those that do not fit wait. */
  send(count: number): void
  /** Messages handed to the transport so far, over all connections. */
  readonly written: number
  /** Sends one message whose record is larger than `bytes`. */
  sendLarge(bytes: number): void
  /** Streams opened so far. */
  readonly connections: number
  /** Ends the open streams as a failing server does. Only a source that resumes gets what is sent before the next stream opens. */
  cut(): void
  stop(): Promise<void>
}

/** The parts that the contract suite needs to know of a source. */
export interface SourceFixture {
  readonly plugin: SourcePlugin
  startFeed(): Promise<Feed>
  /** The number that a record's value carries; null for a large one. */
  numberOf(value: Uint8Array): number | null
  /** The number of the last message that a committed offset covers, on a feed that is read from its start. */
  numberAt(offset: SourceOffset): number
  /** Keys that bound the queue to `records` records. */
  queueBound(records: number): Props
  /**
   * Records over the queue's bound that one read of the transport may bring before the pause takes effect. To find it: bytes of
   * one read (64 KiB for a socket of Node) divided by `messageBytes`, rounded up.
   */
  readonly queueOvershoot: number
  /** Keys that enable resuming: the feed then continues after the requested number. null: the source cannot resume. */
  readonly resume: Props | null
  /** The keys of the feed enable resuming already. */
  readonly alwaysResumes?: true
  /** Keys with which a run of a live feed drops the messages that its predecessor delivered. Absent: the source cannot do this. */
  readonly deduplicates?: Props
  /**
   * Bytes that a paused connection still takes: transport windows and buffers of both ends. To find it: run the suite with 0; the
   * scenario that slows the sender down fails and says how many messages the server could write. For plain TCP on loopback Linux
   * takes up to `tcp_wmem` plus `tcp_rmem` (some 10 MiB). A value that is far above what the server can write fails, too.
   */
  readonly transportBytes: number
  /** Bytes of one message on the wire, at least. A kilobyte or more keeps the suite short, as fewer messages fill the buffers. */
  readonly messageBytes: number
}

/** A record in a topic. */
export interface KeptRecord {
  readonly value: Uint8Array | null
}

/** A task of the source in the runtime, on a Kafka that can be taken away. */
export interface RunningTask {
  /** Lower-case state of the task's state machine. */
  readonly state: string
  readonly failure: unknown
  /** Calls of `poll` so far. */
  readonly polls: number
  /** The counts and gauges of the current run. */
  readonly stats: TaskStats
  /** The records in the topic, of all runs, in order of offset. */
  kept(): Promise<readonly KeptRecord[]>
  /** The records in the dead-letter topic. */
  deadLetters(): Promise<readonly KeptRecord[]>
  /** The offset that another worker would read; null if there is none. */
  committedOffset(): SourceOffset | null
  /** The first records that the task returned, each with what its task makes of the dead letter of that record. */
  redelivered(): Promise<readonly (readonly [record: SourceRecord, again: SourceRecord | null])[]>
  pause(): void
  resume(): void
  stop(): Promise<void>
  /** Ends the task as kill -9 would: nothing more is sent or committed. */
  crash(): Promise<void>
  /** Starts another run of the task from the committed offset. */
  restart(): Promise<void>
  /** Starts another run that overlaps with this one. Resolves once that run has taken over. */
  handOver(): Promise<void>
  /** down: Kafka cuts and refuses every connection. up: Kafka accepts them again. */
  kafka(state: 'up' | 'down'): void
  /** closed: the topic refuses records, while all other topics, the offsets topic too, accept writes. open: it accepts them again. */
  topic(state: 'open' | 'closed'): void
}

/**
 * Starts tasks. `kafkaTaskRunner` of `@tributary/testkit/kafka` makes one. The caller passes the runner in, so that the main entry
 * point does not depend on the runtime.
 */
export interface TaskRunner {
  start(plugin: SourcePlugin, props: Props): Promise<RunningTask>
  /** Topic that the connector's configuration names; it exists. */
  readonly topic: string
  /** Topic that gets the records that cannot be delivered. */
  readonly deadLetterTopic: string
  /** The broker refuses a record larger than this. */
  readonly maxRecordBytes: number
}
