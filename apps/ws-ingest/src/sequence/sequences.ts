import type { Clock, Predecessor, SourcePartition } from '@tributary/connect-api'
import { countBetween, plus, type SequenceNumber, sequenceNumber, SequenceTracker } from '@tributary/push-source'
import type { WebSocketConfig } from '../config/config.ts'
import { compilePath, isOfMessage, type JsonPath } from '../expressions/json-path.ts'
import type { ConnectionInfo, Message } from '../message/message.ts'
import type { Gap, SequenceLog, Verdict } from './gap.ts'
import { digestOf, type HandOverState, readHandOverState, writeHandOverState } from './hand-over-state.ts'
import { idOf, MessageIds } from './message-ids.ts'
import { RestoredNumbers, type OffsetOf, type Stream, Streams } from './streams.ts'

export interface SequencesOptions {
  readonly config: WebSocketConfig
  /** Source partition of messages that name no stream. */
  readonly sourcePartition: SourcePartition
  /** Returns the last committed offset of a source partition, looked up by value. */
  readonly offset: OffsetOf
  readonly clock: Clock
  readonly log: SequenceLog
}

/** A missing message that arrived after all, from the feed or from a backfill. */
export interface GapFill {
  readonly stream: string | null
  readonly number: SequenceNumber
}

const NONE: readonly GapFill[] = []

/**
 * Checks sequence numbers, by stream, and ids. It is called for every message, in order, on the hot path: the next
 * message of a stream costs only reading its fields and one comparison.
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
  #current: Stream
  /** End of the predecessor, in ms since the epoch; null: this run has not taken over from a predecessor. */
  #takenOverAt: number | null = null
  #defaultKey: string | null = null
  #gapFills: GapFill[] = []

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
    this.#ids = new MessageIds(this.#window)
    this.#streams = new Streams({
      max: config['sequence.max.streams'],
      create: (key) => this.#newStream(key),
      onForgotten: (count) => this.#forgotten(count),
    })
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

  /** Checks a message before it is split; null if only its elements have numbers and ids. */
  acceptMessage(message: Message): Verdict {
    const { numbersOf, idsOf } = this.#fields
    return this.#accept(message.json, message, numbersOf === 'message', idsOf === 'message')
  }

  /** Checks an element, or a message that is not split. `message`: the message that contains the element. */
  accept(json: unknown, message: Message): Verdict {
    const { numbersOf, idsOf } = this.#fields
    return this.#accept(json, message, numbersOf === 'element', idsOf === 'element')
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
    this.#takenOverAt = this.#options.clock.now()
    if (state === null) this.#restored.replace((of) => predecessor.offset(of), new Map())
    else if (state.numberSpace === this.#numberSpace) this.#restored.replace((of) => predecessor.offset(of), state.last)
    else this.#restored.forget()
    if (state?.idSpace === this.#idSpace) this.#ids.addPredecessor(state.ids)
    this.#restore(this.#current)
    return state
  }

  /** The hand-over state for the next run. `sequence`: number of the last record. */
  handOverState(sequence: number): string {
    const last: [string | null, SequenceNumber][] = []
    for (const { key, tracker } of this.#perConnection ? [] : this.#streams.all()) {
      if (tracker.last !== null) last.push([key, tracker.last])
    }
    const spaces = { numberSpace: this.#numberSpace, idSpace: this.#idSpace }
    return writeHandOverState({ ...spaces, sequence, last, ids: this.#ids.latest() })
  }

  #accept(json: unknown, message: Message, hasNumber: boolean, hasId: boolean): Verdict {
    const verdict = hasNumber ? this.#acceptNumber(json, message) : null
    if (!hasId || verdict === 'duplicate' || this.#isNewId(json, message)) return verdict
    return verdict === null ? 'duplicate' : { ...verdict, duplicate: true }
  }

  #acceptNumber(json: unknown, message: Message): Verdict {
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
    const result = stream.tracker.accept(number, this.#isOverlapping(stream, message) ? Infinity : this.#window)
    if (result === 'duplicate') {
      this.#options.log.duplicate(stream.key, number, stream.tracker.last)
      return 'duplicate'
    }
    if (isOfThisRun(connection)) stream.overlapping = false
    if (result === null) return null
    if (result === 'fill') {
      this.#gapFills.push({ stream: stream.key, number })
      this.#options.log.messageFilled()
      return null
    }
    return result.kind === 'skipped'
      ? this.#newGap(stream, 'missing', result.from, result.to)
      : this.#newGap(stream, 'reset', plus(result.last, 1), null)
  }

  /** Whether the message arrived while the predecessor was still reading. Such a message may lag far behind. */
  #isOverlapping({ overlapping }: Stream, { connection, receivedAt }: Message): boolean {
    return overlapping && isOfThisRun(connection) && receivedAt <= this.#takenOverAt!
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
      tracker: new SequenceTracker({ contiguous: config['sequence.contiguous'], resets: true }),
      connection: null,
      overlapping: false,
    }
    this.#restore(stream)
    return stream
  }

  #restore(stream: Stream): void {
    if (this.#perConnection || this.#fields.numbersOf === null) return
    stream.tracker.restore(this.#restored.lastOf(stream.key, stream.partition))
    stream.overlapping = this.#takenOverAt !== null
  }

  /** Stored numbers are older than those of a forgotten stream, so nothing is restored any more. */
  #forgotten(count: number): void {
    this.#restored.forget()
    this.#options.log.forgotten(count)
  }
}

/** false: the messages of the connection come from disk, where a predecessor left them. */
function isOfThisRun({ number }: ConnectionInfo): boolean {
  return number > 0
}

/** The key of a stream; a number counts as its text. `defaultKey`: key of a message that names no stream. */
function keyText(value: unknown, defaultKey: string | null): string | null {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean'
    ? String(value)
    : defaultKey
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

/** Where a field is read: from the whole message before it is split, or from the part that becomes a record. */
export type FieldPlace = 'message' | 'element'

/** How the numbers, stream keys and ids of messages are read. */
export interface SequenceFields {
  /** null: messages have no numbers. */
  readonly numbersOf: FieldPlace | null
  readonly readNumber: JsonPath
  /** The key is read together with the number: from the same place, or with `$.` from the whole message. */
  readonly keyOf: FieldPlace
  readonly readKey: JsonPath | null
  /** null: messages have no ids. */
  readonly idsOf: FieldPlace | null
  readonly readId: JsonPath
}

/** Compiles the fields. In split messages, fields read from the whole message count once per message. */
export function sequenceFields(config: WebSocketConfig): SequenceFields {
  const splits = config['split.field'] !== null
  const placeOf = (path: string | null): FieldPlace => (splits && isOfMessage(path ?? '') ? 'message' : 'element')
  const { 'sequence.field': number, 'sequence.key.field': key, 'dedupe.field': id } = config
  return {
    numbersOf: number === null ? null : placeOf(number),
    readNumber: compilePath(number ?? '$'),
    keyOf: placeOf(key),
    readKey: key === null ? null : compilePath(key),
    idsOf: id === null ? null : placeOf(id),
    readId: compilePath(id ?? '$'),
  }
}
