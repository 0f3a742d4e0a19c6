import {
  DataError,
  OPTIONAL_BYTES_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  type SourceOffset,
  type SourcePartition,
  type SourceRecord,
} from '@tributary/connect-api'
import type { SequenceNumber } from '@tributary/push-source'
import type { WebSocketConfig } from '../config/config.ts'
import type { Readable } from '../expressions/rule.ts'
import type { Frame } from '../message/message.ts'
import type { Built, Gap, PlacedGap, Verdict } from '../sequence/gap.ts'
import { type Element, textOf, timestampOf } from './fields.ts'
import { planRecord, type RecordPlan } from './record-plan.ts'

/** What a builder asks of the numbers and ids of messages. */
export interface SequenceCheck {
  /** Is `acceptMessage` to be asked, of each message that is split, before its elements? */
  readonly readsMessages: boolean
  acceptMessage(message: Frame): Verdict
  /** Is `accept` to be asked, of each element, or of each message where none is split? */
  readonly readsElements: boolean
  /** In order. `fields`: the JSON value of an element, or of the message; undefined for what is not JSON. */
  accept(fields: unknown, message: Frame): Verdict
  /** Of the message asked for last: the source partition of its stream, one shared object a stream. */
  readonly partition: SourcePartition
  /** Of the message asked for last: where its stream stands; null before the first number. */
  readonly streamSequence: SequenceNumber | null
}

export interface RecordBuilderOptions {
  readonly config: WebSocketConfig
  readonly sourcePartition: SourcePartition
  readonly sessionId: string
  /** `sequence` of the last committed record; the next one gets the number after it. */
  readonly lastSequence: number
  /** null: messages have neither numbers nor ids. */
  readonly sequences: SequenceCheck | null
}

const NO_GAPS: readonly PlacedGap[] = []

/**
 * Frames to records. The hot path: nothing async, no closure. Where no setting asks for a field of the message its JSON is not
 * parsed, else once.
 */
export class RecordBuilder {
  readonly #options: RecordBuilderOptions
  readonly #topic: string
  readonly #plan: RecordPlan
  /** A frame is a record, whatever is in it. */
  readonly #readsNothing: boolean
  #sequence: number
  #records: SourceRecord[] = []
  #gaps: PlacedGap[] | null = null

  /** Throws ConfigError. */
  constructor(options: RecordBuilderOptions) {
    const { config, sessionId, lastSequence, sequences } = options
    this.#options = options
    this.#topic = config['kafka.topic']
    this.#plan = planRecord(config, sessionId)
    const { split, skip, key, timestamp, topic } = this.#plan
    this.#readsNothing = [sequences, split, skip, key, timestamp, topic].every((part) => part === null)
    this.#sequence = lastSequence
  }

  /** Number of the last record handed out. */
  get sequence(): number {
    return this.#sequence
  }

  /** The next record gets the number after this one. */
  goOnAfter(sequence: number): void {
    this.#sequence = sequence
  }

  build(frames: readonly Frame[]): Built {
    this.#records = []
    this.#gaps = null
    for (let i = 0; i < frames.length; i++) {
      if (this.#readsNothing) this.#addWhole(frames[i]!)
      else this.#add(frames[i]!)
    }
    return { records: this.#records, gaps: this.#gaps ?? NO_GAPS }
  }

  #add(frame: Frame): void {
    const { split } = this.#plan
    const { sequences } = this.#options
    if (sequences?.readsMessages && !this.#accepted(sequences.acceptMessage(frame))) return
    const elements = split === null ? null : split(frame)
    if (elements === null) {
      if (this.#accept(frame, frame)) this.#addWhole(frame)
      return
    }
    for (let i = 0; i < elements.length; i++) {
      if (this.#accept(elements[i]!, frame)) this.#addElement(elements[i]!, frame)
    }
  }

  /** False: it came before. */
  #accept(part: Readable, frame: Frame): boolean {
    const { sequences } = this.#options
    return !sequences?.readsElements || this.#accepted(sequences.accept(part.json, frame))
  }

  #accepted(verdict: Verdict): boolean {
    if (verdict === null) return true
    if (verdict === 'duplicate') return false
    this.#missing(verdict)
    return !verdict.duplicate
  }

  #missing(gap: Gap): void {
    this.#gaps ??= []
    this.#gaps.push({ at: this.#records.length, gap })
  }

  #addWhole(frame: Frame): void {
    let value: string | Buffer
    try {
      value = frame.value
    } catch (error) {
      this.#push(frame, null, null, this.#topic, null, frame.data, dataError(error))
      return
    }
    if (this.#readsNothing) this.#push(frame, value, null, this.#topic, null, frame.data, undefined)
    else this.#addPart(frame, frame, value, frame.data)
  }

  /** An element is what its message is, text or bytes. */
  #addElement(element: Element, frame: Frame): void {
    const { text } = element
    this.#addPart(element, frame, typeof frame.value === 'string' ? text : Buffer.from(text), undefined)
  }

  #addPart(part: Readable, frame: Frame, value: string | Buffer, original: Buffer | undefined): void {
    const { skip, key, timestamp, timestampUnit, topic } = this.#plan
    if (skip?.(part)) return
    try {
      this.#push(
        frame,
        value,
        key === null ? null : textOf(key(part, frame)),
        topic === null ? this.#topic : topic.topicOf(part, frame),
        timestamp === null ? null : timestampOf(timestamp(part, frame), timestampUnit),
        original,
        undefined,
      )
    } catch (error) {
      this.#push(frame, null, null, this.#topic, null, original ?? Buffer.from(value), dataError(error))
    }
  }

  /** `original`: the bytes for a dead-letter queue, where the value does not tell them. */
  #push(
    frame: Frame,
    value: string | Buffer | null,
    key: string | null,
    topic: string,
    timestamp: number | null,
    original: Buffer | undefined,
    error: DataError | undefined,
  ): void {
    const { sourcePartition, sequences } = this.#options
    this.#records.push({
      sourcePartition: sequences === null ? sourcePartition : sequences.partition,
      sourceOffset: this.#nextOffset(),
      topic,
      partition: undefined,
      key,
      keySchema: key === null ? null : OPTIONAL_STRING_SCHEMA,
      value,
      valueSchema: typeof value === 'string' ? OPTIONAL_STRING_SCHEMA : OPTIONAL_BYTES_SCHEMA,
      headers: this.#plan.headers?.of(frame),
      timestamp,
      original,
      originalIsText: !frame.binary && original !== undefined && error === undefined,
      error,
    })
  }

  #nextOffset(): SourceOffset {
    const { sessionId, sequences } = this.#options
    const sequence = ++this.#sequence
    const streamSequence = sequences === null ? null : sequences.streamSequence
    if (streamSequence === null) return { session_id: sessionId, sequence }
    return { session_id: sessionId, sequence, stream_sequence: streamSequence }
  }
}

function dataError(error: unknown): DataError {
  if (error instanceof DataError) return error
  throw error
}
