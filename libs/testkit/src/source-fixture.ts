import type { Props, SourceOffset, SourcePlugin, TaskStats } from '@tributary/connect-api'

/** A real server that the source under test reads: it numbers its messages from 1, and counts what the transport took. */
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
  /** Ends the open streams as a failing server does. What is sent until the next one opens comes to who resumes alone. */
  cut(): void
  stop(): Promise<void>
}

/** What a source brings to the contract suite. */
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
  /** Keys that switch resuming on: the feed then goes on after the number asked for. null: the source cannot resume. */
  readonly resume: Props | null
  /** The feed's own keys switch resuming on already. */
  readonly alwaysResumes?: true
  /** Keys with which a run leaves out what the run before it delivered, of a live feed that both have read; absent: it cannot. */
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

/** A record that the broker has. */
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
  /** The numbers that the present run of the task keeps. */
  readonly stats: TaskStats
  /** What Kafka kept of the topic, in order of offset, over all runs. */
  kept(): Promise<readonly KeptRecord[]>
  /** What Kafka kept of the dead-letter topic. */
  setAside(): Promise<readonly KeptRecord[]>
  /** As another worker would read it; null when there is none. */
  committedOffset(): SourceOffset | null
  pause(): void
  resume(): void
  stop(): Promise<void>
  /** Ends it as kill -9 would: nothing more is sent or committed. */
  crash(): Promise<void>
  /** Another run of the same task, from the committed offset. */
  restart(): Promise<void>
  /** Another run of the same task follows with overlap; resolves once it has taken over. */
  handOver(): Promise<void>
  /** Kafka cuts and refuses every connection, or takes them again. */
  kafka(state: 'up' | 'down'): void
  /** The topic takes no records for now, while all else in Kafka, offsets too, can be written; or takes them again. */
  topic(state: 'open' | 'closed'): void
}

/** Starts tasks; given by the runtime's tests, so that this library needs no more than the contract. */
export interface TaskRunner {
  start(plugin: SourcePlugin, props: Props): Promise<RunningTask>
  /** Topic that the connector's configuration names; it exists. */
  readonly topic: string
  /** Topic for what is set aside. */
  readonly deadLetterTopic: string
  /** The broker refuses a record larger than this. */
  readonly maxRecordBytes: number
}
