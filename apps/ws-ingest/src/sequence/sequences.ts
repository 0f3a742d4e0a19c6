import type { Clock, OffsetEntry, Predecessor, SourcePartition } from '@tributary/connect-api'
import {
  contentDigest,
  countBetween,
  DigestBudget,
  type Judgement,
  plus,
  type SequenceNumber,
  sequenceNumber,
  SequenceTracker,
} from '@tributary/push-source'
import type { WebSocketConfig } from '../config/config.ts'
import type { Readable } from '../expressions/rule.ts'
import type { ConnectionInfo, Message } from '../message/message.ts'
import type { Gap, SequenceLog, Verdict } from './gap.ts'
import {
  digestOf,
  type HandOverContent,
  type HandOverState,
  readHandOverState,
  writeHandOverState,
} from './hand-over-state.ts'
import { idOf, MessageIds } from './message-ids.ts'
import { keyText, type SequenceFields, sequenceFields } from './sequence-fields.ts'
import { RestoredNumbers, type OffsetOf, type Stream, Streams, type StreamOffset } from './streams.ts'

export interface SequencesOptions {
  readonly config: WebSocketConfig
  /** Source partition of messages that name no stream. */
  readonly sourcePartition: SourcePartition
  /** Returns the last committed offset of a source partition, looked up by value. */
  readonly offset: OffsetOf
  /** All committed offsets of the connector. */
  readonly offsets: () => readonly OffsetEntry[]
  /** Removes the offsets of source partitions whose streams are forgotten. */
  readonly removeOffsets: (partitions: readonly SourcePartition[]) => void
  readonly clock: Clock
  readonly log: SequenceLog
}

/** A missing message that arrived after all, from the feed or from a backfill. */
export interface GapFill {
  readonly stream: string | null
  readonly number: SequenceNumber
}

/**
 * ms after the end of the predecessor's connection in which a message that both received may still arrive here: servers, sockets and
 * event loops are not equally quick.
 */
const COPY_LAG_MS = 1000

const NONE: readonly GapFill[] = []

/** Bytes for the digests of all streams of a task: half a million messages. */
const DIGEST_BYTES = 4 * 1024 * 1024

/**
 * Checks sequence numbers, by stream, and ids. It is called for every message, in order, on the hot path: the next
 * message of a stream costs only reading its fields, its digest, and one comparison.
 */
export class Sequences {
  /** Whether the caller must call `acceptMessage` for each message, before it is split. */
  readonly readsMessages: boolean
  /** Whether the caller must call `accept` for each element, or for each message that is not split. */
  readonly readsElements: boolean
  readonly #options: SequencesOptions
  readonly #fields: SequenceFields
  readonly #window: number
  readonly #perConnection: boolean
  readonly #numberSpace: string
  readonly #idSpace: string
  readonly #restored: RestoredNumbers
  readonly #streams: Streams
  readonly #ids: MessageIds
  readonly #digestBudget = new DigestBudget(DIGEST_BYTES)
  /** Streams with records in the present batch. */
  readonly #inBatch: Stream[] = []
  #current: Stream
  /** End of the predecessor's connection, in ms since the epoch; null: this run has not taken over from a predecessor. */
  #overlappedUntil: number | null = null
  #defaultKey: string | null = null
  #gapFills: GapFill[] = []
  #addingCommitted = false

  constructor(options: SequencesOptions) {
    const { config, offset } = options
    this.#options = options
    this.#fields = sequenceFields(config)
    this.readsMessages = this.#fields.numbersOf === 'message' || this.#fields.idsOf === 'message'
    this.readsElements = this.#fields.numbersOf === 'element' || this.#fields.idsOf === 'element'
    this.#window = config['dedupe.window']
    this.#perConnection = config['sequence.scope'] === 'connection'
    this.#numberSpace = numberSpaceOf(config)
    this.#idSpace = digestOf([config['websocket.url'], config['split.field'], config['dedupe.field']])
    this.#restored = new RestoredNumbers(offset)
    this.#ids = new MessageIds(this.#window, () => options.log.windowCut())
    this.#streams = new Streams({
      max: config['sequence.max.streams'],
      create: (key) => this.#newStream(key),
      onForgotten: (streams) => this.#forgotten(streams),
    })
    this.#addCommittedStreams()
    this.#current = this.#streams.get(null)
  }

  /** Whether numbers reveal what is lost between two connections. Otherwise each such period is a gap. */
  get numbersSpanConnections(): boolean {
    return this.#fields.numbersOf !== null && !this.#perConnection && this.#options.config['sequence.contiguous']
  }

  /** Source partition of the message accepted last; one object per stream. */
  get partition(): SourcePartition {
    return this.#current.partition
  }

  /** Highest number of that message's stream, for its offset; null if none. */
  get streamSequence(): SequenceNumber | null {
    return this.#current.tracker.last
  }

  /** Remembers the offset of a record of that message, until `endBatch`. */
  addOffset(offset: StreamOffset): void {
    const stream = this.#current
    if (stream.lastOffset === null) this.#inBatch.push(stream)
    stream.lastOffset = offset
  }

  /** Completes the last offset of each stream in a batch: the number and the digests of what was accepted up to the end of the batch. */
  endBatch(): void {
    for (const stream of this.#inBatch) {
      const { tracker, lastOffset } = stream
      stream.lastOffset = null
      if (tracker.last === null) continue
      lastOffset!.stream_sequence = tracker.last
      lastOffset!.stream_digests = tracker.digests
    }
    this.#inBatch.length = 0
  }

  /** Checks a message before it is split; null if only its elements have numbers and ids. */
  acceptMessage(message: Message): Verdict {
    const { numbersOf, idsOf } = this.#fields
    return this.#accept(message, message, numbersOf === 'message', idsOf === 'message')
  }

  /** Checks an element, or a message that is not split. `message`: the message that contains the element. */
  accept(part: Readable, message: Message): Verdict {
    const { numbersOf, idsOf } = this.#fields
    return this.#accept(part, message, numbersOf === 'element', idsOf === 'element')
  }

  /** The number of a message, without accepting it; null if it has none, or names another stream. */
  numberIn(stream: string | null, { json }: Message): SequenceNumber | null {
    const { readKey, readNumber } = this.#fields
    if (readKey !== null && keyText(readKey(json), stream) !== stream) return null
    return sequenceNumber(readNumber(json))
  }

  /** Highest number of a stream; null if none. */
  lastOf(stream: string | null): SequenceNumber | null {
    return this.#streams.find(stream)?.tracker.last ?? null
  }

  /** The digests of a stream, for an offset with its highest number; '' if none. */
  digestsOf(stream: string | null): string {
    return this.#streams.find(stream)?.tracker.digests ?? ''
  }

  /** Runs `work`; messages in it that name no stream belong to this one. */
  withStream<T>(stream: string | null, work: () => T): T {
    this.#defaultKey = stream
    try {
      return work()
    } finally {
      this.#defaultKey = null
    }
  }

  /** The numbers of a gap that are still missing. */
  missingOf({ stream, from, to }: Pick<Gap, 'stream' | 'from' | 'to'>): ReturnType<SequenceTracker['missingOf']> {
    if (from === null || to === null) return []
    return this.#streams.find(stream)?.tracker.missingOf({ from, to }) ?? []
  }

  /** The missing messages that have arrived since the last call. */
  takeGapFills(): readonly GapFill[] {
    if (this.#gapFills.length === 0) return NONE
    const fills = this.#gapFills
    this.#gapFills = []
    return fills
  }

  /**
   * Continues where the predecessor ended; called before the first message. Numbers and ids are ignored if the
   * predecessor read them from other fields. Returns the hand-over state, null if there is none.
   */
  takeOver(predecessor: Predecessor): HandOverState | null {
    const state = predecessor.handOverState === null ? null : readHandOverState(predecessor.handOverState)
    // The clock of the predecessor's host may be ahead of this one.
    const now = this.#options.clock.now()
    this.#overlappedUntil = Math.min(now, state === null || state.endedAt === null ? now : state.endedAt + COPY_LAG_MS)
    if (state === null) this.#restored.replace((of) => predecessor.offset(of), new Map())
    else if (state.numberSpace === this.#numberSpace) this.#restored.replace((of) => predecessor.offset(of), state.last)
    else this.#restored.forget()
    if (state?.idSpace === this.#idSpace) this.#ids.addPredecessor(state.ids)
    for (const stream of this.#streams.all()) this.#restore(stream)
    this.#addCommittedStreams()
    return state
  }

  /**
   * The hand-over state for the next run. `sequence`: number of the last record. `endedAt`: end of the last connection, in ms since
   * the epoch.
   */
  handOverState(sequence: number, endedAt: number): string {
    const last: HandOverContent['last'][number][] = []
    for (const { key, tracker } of this.#perConnection ? [] : this.#streams.all()) {
      if (tracker.last !== null) last.push([key, tracker.last, tracker.digests])
    }
    const spaces = { numberSpace: this.#numberSpace, idSpace: this.#idSpace }
    return writeHandOverState({ ...spaces, sequence, endedAt, last, ids: this.#ids.latest() })
  }

  #accept(part: Readable, message: Message, hasNumber: boolean, hasId: boolean): Verdict {
    const verdict = hasNumber ? this.#acceptNumber(part, message) : null
    if (!hasId || verdict === 'duplicate' || this.#isNewId(part.json, message)) return verdict
    return verdict === null ? 'duplicate' : { ...verdict, duplicate: true }
  }

  #acceptNumber(part: Readable, message: Message): Verdict {
    const { json } = part
    const stream = this.#streamOf(json, message)
    this.#current = stream
    const value = this.#fields.readNumber(json)
    if (value === undefined || value === null) return null
    const number = sequenceNumber(value)
    if (number === null) {
      this.#options.log.unreadable('sequence.field')
      return null
    }
    const { connection } = message
    if (stream.connection !== connection) this.#nextConnection(stream, connection)
    const result = stream.tracker.accept(number, digestOfPart(part, message), this.#isOverlapping(stream, message))
    if (result === 'duplicate') {
      this.#options.log.duplicate(stream.key, number, stream.tracker.last)
      return 'duplicate'
    }
    if (isOfThisRun(connection)) stream.overlapping = false
    return result === null ? null : this.#judged(result, stream, number, isOfThisRun(connection))
  }

  #judged(
    result: Exclude<Judgement, null | 'duplicate'>,
    stream: Stream,
    number: SequenceNumber,
    ofThisRun: boolean,
  ): Gap | null {
    if (result === 'fill') {
      this.#gapFills.push({ stream: stream.key, number })
      this.#options.log.messageFilled()
      return null
    }
    if (result === 'late' || result === 'doubtful') {
      this.#options.log.repeated(stream.key, number, stream.tracker.last)
      return null
    }
    if (result.kind === 'skipped') return this.#newGap(stream, 'missing', result.from, result.to)
    // A killed run leaves messages on disk that it delivered. Those are no new numbering.
    if (!ofThisRun && !result.certain) return null
    return this.#newGap(stream, 'reset', plus(result.last, 1), null)
  }

  /**
   * Whether the message arrived while the predecessor was still connected. Such a message may lag far behind. A message that arrives
   * between the end of that connection and `takeOver` came to this run alone.
   */
  #isOverlapping({ overlapping }: Stream, { connection, receivedAt }: Message): boolean {
    return overlapping && isOfThisRun(connection) && receivedAt <= this.#overlappedUntil!
  }

  #newGap(stream: Stream, reason: 'missing' | 'reset', from: SequenceNumber, to: SequenceNumber | null): Gap {
    const gap: Gap = {
      reason,
      stream: stream.key,
      partition: stream.partition,
      from,
      to,
      count: to === null ? null : countBetween(from, to),
      lostAt: null,
      detectedAt: this.#options.clock.now(),
      duplicate: false,
    }
    this.#options.log.gap(gap)
    return gap
  }

  #streamOf(json: unknown, message: Message): Stream {
    const { readKey, keyOf } = this.#fields
    if (readKey === null) return this.#current
    const key = keyText(readKey(keyOf === 'message' ? message.json : json), this.#defaultKey)
    return key === this.#current.key ? this.#current : this.#streams.get(key)
  }

  #isNewId(json: unknown, message: Message): boolean {
    const { readId, idsOf } = this.#fields
    const id = idOf(readId(idsOf === 'message' ? message.json : json))
    if (id === null || this.#ids.add(id)) return true
    this.#options.log.duplicateId(id)
    return false
  }

  #nextConnection(stream: Stream, connection: ConnectionInfo): void {
    if (stream.connection !== null && isOfThisRun(stream.connection)) stream.overlapping = false
    if (this.#perConnection) stream.tracker.restore(null)
    stream.connection = connection
  }

  #newStream(key: string | null): Stream {
    const { config, sourcePartition } = this.#options
    const stream: Stream = {
      key,
      partition: key === null ? sourcePartition : { ...sourcePartition, stream: key },
      tracker: new SequenceTracker({
        contiguous: config['sequence.contiguous'],
        resets: config['sequence.reset'] !== 'drop',
        window: this.#window,
        budget: this.#digestBudget,
      }),
      connection: null,
      overlapping: false,
      lastOffset: null,
    }
    this.#restore(stream)
    return stream
  }

  #restore(stream: Stream): void {
    if (this.#perConnection || this.#fields.numbersOf === null) return
    const { last, digests } = this.#restored.of(stream.key, stream.partition)
    stream.tracker.restore(last, digests)
    stream.overlapping = this.#overlappedUntil !== null
  }

  /**
   * Adds the streams of earlier runs, so that they are forgotten in their turn and their offsets removed. Otherwise a feed with ever
   * new keys would leave offsets behind at each restart.
   */
  #addCommittedStreams(): void {
    const { offsets, sourcePartition } = this.#options
    if (this.#fields.readKey === null || this.#perConnection) return
    this.#addingCommitted = true
    for (const { partition } of offsets()) {
      const { stream } = partition
      if (partition['websocket_url'] !== sourcePartition['websocket_url'] || typeof stream !== 'string') continue
      if (this.#streams.find(stream) === null) this.#streams.get(stream)
    }
    this.#addingCommitted = false
  }

  /** Numbers that are committed now are older than those of a stream with messages, so nothing is restored any more. */
  #forgotten(streams: readonly Stream[]): void {
    if (!this.#addingCommitted) this.#restored.forget()
    for (const { tracker } of streams) tracker.release()
    this.#options.removeOffsets(streams.filter(({ key }) => key !== null).map(({ partition }) => partition))
    this.#options.log.forgotten(streams.length)
  }
}

/** A binary message may be compressed in another way when it is sent again, so its text counts. */
function digestOfPart(part: Readable, message: Message): number {
  const bytes = part === message && !message.binary
  return contentDigest(bytes ? message.data : (part.text ?? message.data))
}

/** false: the messages of the connection come from disk, where a predecessor left them. */
function isOfThisRun({ number }: ConnectionInfo): boolean {
  return number > 0
}

/** Two runs with the same number space use the same numbers for the same messages. */
function numberSpaceOf(config: WebSocketConfig): string {
  return digestOf([
    config['websocket.url'],
    config['split.field'],
    config['sequence.field'],
    config['sequence.key.field'],
    config['sequence.scope'],
  ])
}
