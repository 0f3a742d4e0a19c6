import type { Clock, Predecessor, SourcePartition } from '@tributary/connect-api'
import { countBetween, plus, type SequenceNumber, sequenceNumber, SequenceTracker } from '@tributary/push-source'
import type { WebSocketConfig } from '../config/config.ts'
import { compilePath, isOfMessage, type JsonPath } from '../expressions/json-path.ts'
import type { ConnectionInfo, Frame } from '../message/message.ts'
import type { Gap, SequenceLog, Verdict } from './gap.ts'
import { digestOf, type Memo, readMemo, writeMemo } from './hand-over-state.ts'
import { idOf, MessageIds } from './message-ids.ts'
import { KnownNumbers, type OffsetOf, type Stream, Streams } from './streams.ts'

export interface SequencesOptions {
  readonly config: WebSocketConfig
  /** Of a task without streams, and of messages that name none. */
  readonly sourcePartition: SourcePartition
  /** The last committed offset of a source partition, looked up by value. */
  readonly offset: OffsetOf
  readonly clock: Clock
  readonly log: SequenceLog
}

/** A message that was missing and came late, or by a backfill. */
export interface Late {
  readonly stream: string | null
  readonly number: SequenceNumber
}

const NONE: readonly Late[] = []

/**
 * What tells messages apart: sequence numbers, by stream, and ids. Asked for every message, in order, on the hot path: one that
 * follows the last one of its stream costs reading its fields and a comparison.
 */
export class Sequences {
  /** Is `acceptMessage` to be asked, of each message before it is split? */
  readonly readsMessages: boolean
  /** Is `accept` to be asked, of each element, or of each message where none is split? */
  readonly readsElements: boolean
  readonly #options: SequencesOptions
  readonly #fields: SequenceFields
  readonly #window: number
  readonly #perConnection: boolean
  readonly #numberSpace: string
  readonly #idSpace: string
  readonly #known: KnownNumbers
  readonly #streams: Streams
  readonly #ids: MessageIds
  #current: Stream
  /** When the former run was over, in ms since the epoch; null: none was taken over. */
  #takenOverAt: number | null = null
  #assumedKey: string | null = null
  #late: Late[] = []

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
    this.#known = new KnownNumbers(offset)
    this.#ids = new MessageIds(this.#window)
    this.#streams = new Streams({
      max: config['sequence.max.streams'],
      create: (key) => this.#newStream(key),
      onForgotten: (count) => this.#forgotten(count),
    })
    this.#current = this.#streams.get(null)
  }

  /** Do numbers tell what is lost between two connections? Without, each such time is a gap. */
  get overConnections(): boolean {
    return this.#fields.numbersOf !== null && !this.#perConnection && this.#options.config['sequence.contiguous']
  }

  /** Source partition of the message that was accepted last: one object a stream. */
  get partition(): SourcePartition {
    return this.#current.partition
  }

  /** Highest number of that message's stream, for its offset; null: none. */
  get streamSequence(): SequenceNumber | null {
    return this.#current.tracker.last
  }

  /** What there is to say of a message that will be split; null when only its elements are asked. */
  acceptMessage(frame: Frame): Verdict {
    const { numbersOf, idsOf } = this.#fields
    return this.#accept(frame.json, frame, numbersOf === 'message', idsOf === 'message')
  }

  /** What there is to say of an element, or of a message that is not split. `frame`: the message that it came in. */
  accept(json: unknown, frame: Frame): Verdict {
    const { numbersOf, idsOf } = this.#fields
    return this.#accept(json, frame, numbersOf === 'element', idsOf === 'element')
  }

  /** The number of a message of a stream, without accepting it; null when it has none, or names another stream. */
  numberIn(stream: string | null, { json }: Frame): SequenceNumber | null {
    const { readKey, readNumber } = this.#fields
    if (readKey !== null && keyText(readKey(json), stream) !== stream) return null
    return sequenceNumber(readNumber(json))
  }

  /** Highest number of a stream; null: none. */
  lastOf(stream: string | null): SequenceNumber | null {
    return this.#streams.find(stream)?.tracker.last ?? null
  }

  /** Runs `work`, in which messages that name no stream belong to this one. */
  within<T>(stream: string | null, work: () => T): T {
    this.#assumedKey = stream
    try {
      return work()
    } finally {
      this.#assumedKey = null
    }
  }

  /** What is still missing of a gap. */
  missingOf({ stream, from, to }: Pick<Gap, 'stream' | 'from' | 'to'>): ReturnType<SequenceTracker['missingOf']> {
    if (from === null || to === null) return []
    return this.#streams.find(stream)?.tracker.missingOf({ from, to }) ?? []
  }

  /** The messages that came late since the last call. */
  takeLate(): readonly Late[] {
    if (this.#late.length === 0) return NONE
    const late = this.#late
    this.#late = []
    return late
  }

  /**
   * Before the first message: goes on where the former run, connected at the same time, came to its end. Nothing is known of
   * numbers or ids that it read elsewhere in the messages. Answers its memo.
   */
  takeOver(predecessor: Predecessor): Memo | null {
    const memo = predecessor.handOverState === null ? null : readMemo(predecessor.handOverState)
    this.#takenOverAt = this.#options.clock.now()
    if (memo === null) this.#known.renew((of) => predecessor.offset(of), new Map())
    else if (memo.numberSpace === this.#numberSpace) this.#known.renew((of) => predecessor.offset(of), memo.last)
    else this.#known.forget()
    if (memo?.idSpace === this.#idSpace) this.#ids.goOnAfter(memo.ids)
    this.#restore(this.#current)
    return memo
  }

  /** For the next run. `sequence`: number of the last record. */
  memo(sequence: number): string {
    const last: [string | null, SequenceNumber][] = []
    for (const { key, tracker } of this.#perConnection ? [] : this.#streams.all()) {
      if (tracker.last !== null) last.push([key, tracker.last])
    }
    const spaces = { numberSpace: this.#numberSpace, idSpace: this.#idSpace }
    return writeMemo({ ...spaces, sequence, last, ids: this.#ids.latest() })
  }

  #accept(json: unknown, frame: Frame, numbered: boolean, named: boolean): Verdict {
    const verdict = numbered ? this.#acceptNumber(json, frame) : null
    if (!named || verdict === 'duplicate' || this.#isNewId(json, frame)) return verdict
    return verdict === null ? 'duplicate' : { ...verdict, duplicate: true }
  }

  #acceptNumber(json: unknown, frame: Frame): Verdict {
    const stream = this.#streamOf(json, frame)
    this.#current = stream
    const value = this.#fields.readNumber(json)
    if (value === undefined || value === null) return null
    const number = sequenceNumber(value)
    if (number === null) {
      this.#options.log.unreadable('sequence.field')
      return null
    }
    const { connection } = frame
    if (stream.connection !== connection) this.#nextConnection(stream, connection)
    const judgement = stream.tracker.accept(number, this.#cameBeside(stream, frame) ? Infinity : this.#window)
    if (judgement === 'duplicate') {
      this.#options.log.duplicate(stream.key, number, stream.tracker.last)
      return 'duplicate'
    }
    if (isOfThisRun(connection)) stream.overlapping = false
    if (judgement === null) return null
    if (judgement === 'late') {
      this.#late.push({ stream: stream.key, number })
      this.#options.log.late()
      return null
    }
    return judgement.kind === 'skipped'
      ? this.#gap(stream, 'missing', judgement.from, judgement.to)
      : this.#gap(stream, 'reset', plus(judgement.last, 1), null)
  }

  /** Did it come while the former run still read, too? Then it may be far behind; what that one left on disk is not. */
  #cameBeside({ overlapping }: Stream, { connection, receivedAt }: Frame): boolean {
    return overlapping && isOfThisRun(connection) && receivedAt <= this.#takenOverAt!
  }

  #gap(stream: Stream, reason: 'missing' | 'reset', from: SequenceNumber, to: SequenceNumber | null): Gap {
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

  #streamOf(json: unknown, frame: Frame): Stream {
    const { readKey, keyOf } = this.#fields
    if (readKey === null) return this.#current
    const key = keyText(readKey(keyOf === 'message' ? frame.json : json), this.#assumedKey)
    return key === this.#current.key ? this.#current : this.#streams.get(key)
  }

  #isNewId(json: unknown, frame: Frame): boolean {
    const { readId, idsOf } = this.#fields
    const id = idOf(readId(idsOf === 'message' ? frame.json : json))
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
    stream.tracker.restore(this.#known.lastOf(stream.key, stream.partition))
    stream.overlapping = this.#takenOverAt !== null
  }

  /** What is stored of a stream that was forgotten is older than what it had, so that nothing is restored any more. */
  #forgotten(count: number): void {
    this.#known.forget()
    this.#options.log.forgotten(count)
  }
}

/** The others left their last messages on disk. */
function isOfThisRun({ number }: ConnectionInfo): boolean {
  return number > 0
}

/** A stream's name; a number counts as its text. `assumed`: of a message that names none. */
function keyText(value: unknown, assumed: string | null): string | null {
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean' ? String(value) : assumed
}

/** The same numbers mean the same messages. */
function numberSpaceOf(config: WebSocketConfig): string {
  return digestOf([
    config['websocket.url'],
    config['split.field'],
    config['sequence.field'],
    config['sequence.key.field'],
    config['sequence.scope'],
  ])
}

/** Where a field is read: from the whole message before it is split, or from what becomes a record. */
export type FieldPlace = 'message' | 'element'

/** How the fields that tell messages apart are read. */
export interface SequenceFields {
  /** null: there are no numbers. */
  readonly numbersOf: FieldPlace | null
  readonly readNumber: JsonPath
  /** The key is read with the number, from the same place or, by `$.`, from the message around it. */
  readonly keyOf: FieldPlace
  readonly readKey: JsonPath | null
  /** null: there are no ids. */
  readonly idsOf: FieldPlace | null
  readonly readId: JsonPath
}

/** What the settings say. Numbers and ids of messages that are split count once a message, not once an element. */
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
