import {
  DataError,
  type Header,
  OPTIONAL_BYTES_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  type SourceOffset,
  type SourcePartition,
  type SourceRecord,
} from '@tributary/connect-api'
import type { BodyReader } from '@tributary/converters/body'
import type { SequenceNumber } from '@tributary/push-source'
import type { WebSocketConfig } from '../config/config.ts'
import type { Readable } from '../expressions/rule.ts'
import type { Message } from '../message/message.ts'
import type { BuiltBatch, Gap, PlacedGap, Verdict } from '../sequence/gap.ts'
import type { StreamOffset } from '../sequence/streams.ts'
import { type Element, textOf, timestampOf } from './fields.ts'
import { BINARY, BINARY_ELEMENT, TEXT_ELEMENT } from './received.ts'
import { planRecord, type Reception, type RecordPlan } from './record-plan.ts'

/** Checks the sequence numbers and ids of messages for a builder. */
export interface SequenceCheck {
  /** Whether the builder must call `acceptMessage` for each message, before it is split. */
  readonly readsMessages: boolean
  acceptMessage(message: Message): Verdict
  /** Whether the builder must call `accept` for each element, or for each message that is not split. */
  readonly readsElements: boolean
  /** Called in order. `part`: the element, or the message. */
  accept(part: Readable, message: Message): Verdict
  /** Source partition of the stream of the message checked last; one shared object per stream. */
  readonly partition: SourcePartition
  /** Highest number of the stream of the message checked last; null before the first number. */
  readonly streamSequence: SequenceNumber | null
  /** Called with the offset of each record of that message. */
  addOffset(offset: StreamOffset): void
  /** Called after the last message of a batch: completes the last offset of each stream. */
  endBatch(): void
}

export interface RecordBuilderOptions {
  readonly config: WebSocketConfig
  readonly sourcePartition: SourcePartition
  readonly sessionId: string
  /** `sequence` of the last committed record; the next record gets the following number. */
  readonly lastSequence: number
  /** null: messages have neither sequence numbers nor ids. */
  readonly sequences: SequenceCheck | null
  /** Called with each message that is not JSON, if a field of it was to be read for its record. */
  readonly onNotJson: (message: Message) => void
  /** Reads the values as data (`value.format=json`); null: they stay text or bytes. */
  readonly body?: BodyReader | null
}

const NO_GAPS: readonly PlacedGap[] = []

/**
 * Turns messages into records. This is the hot path: nothing is async and nothing creates a closure. The JSON of a
 * message is parsed once, or not at all if no configured feature reads a field.
 */
export class RecordBuilder {
  readonly #options: RecordBuilderOptions
  readonly #topic: string
  readonly #plan: RecordPlan
  /** No feature reads the content: each message becomes one record. */
  readonly #readsNothing: boolean
  /** The record, or the check of its number, needs a field of the message. */
  readonly #readsFields: boolean
  readonly #body: BodyReader | null
  #sequence: number
  #records: SourceRecord[] = []
  #gaps: PlacedGap[] | null = null
  /** Where the records of `rebuild` belong. */
  #rebuilt: SourcePartition | null = null

  /** Throws ConfigError. */
  constructor(options: RecordBuilderOptions) {
    const { config, sessionId, lastSequence, sequences, body = null } = options
    this.#options = options
    this.#topic = config['kafka.topic']
    this.#plan = planRecord(config, sessionId)
    const { split, skip, key, timestamp, topic } = this.#plan
    this.#body = body
    this.#readsNothing = [sequences, split, skip, key, timestamp, topic, body].every((part) => part === null)
    this.#readsFields = [sequences, split, key, timestamp, topic].some((part) => part !== null)
    this.#sequence = lastSequence
  }

  /** Makes ready to read bodies. Call it on each connect. Rejects with NotConnectedError or ConfigError. */
  async connect(signal: AbortSignal): Promise<void> {
    await this.#body?.connect(signal)
  }

  /** `sequence` of the last record. */
  get sequence(): number {
    return this.#sequence
  }

  /** Sets `sequence` of the last record; the next record gets the following number. */
  continueAfter(sequence: number): void {
    this.#sequence = sequence
  }

  /** No feature reads the content of messages, so that a PackBuilder may make their records. */
  get readsNothing(): boolean {
    return this.#readsNothing
  }

  headersOf(reception: Reception): readonly Header[] | undefined {
    return this.#plan.headers?.of(reception)
  }

  /** Whether records of messages that were received so have the same headers. */
  sameHeaders(a: Reception, b: Reception): boolean {
    return this.#plan.headers?.same(a, b) ?? true
  }

  build(messages: readonly Message[]): BuiltBatch {
    this.#records = []
    this.#gaps = null
    for (let i = 0; i < messages.length; i++) {
      if (this.#readsNothing) this.#addWhole(messages[i]!)
      else this.#add(messages[i]!)
    }
    this.#options.sequences?.endBatch()
    return { records: this.#records, gaps: this.#gaps ?? NO_GAPS }
  }

  /**
   * The records of a message, or of an element of one, that was received before. They have no part in the numbers of records and
   * messages. Throws RetriableError before `connect` has read the schema of bodies.
   */
  rebuild(message: Message, isElement: boolean, sourcePartition: SourcePartition): readonly SourceRecord[] {
    const before = this.#records
    this.#body?.check()
    this.#records = []
    this.#rebuilt = sourcePartition
    try {
      if (isElement) this.#addElement({ text: message.data.toString(), json: message.json }, message)
      else this.#addOnce(message)
      return this.#records
    } finally {
      this.#records = before
      this.#rebuilt = null
    }
  }

  #addOnce(message: Message): void {
    const elements = this.#plan.split?.(message) ?? null
    if (elements === null) this.#addWhole(message)
    else for (const element of elements) this.#addElement(element, message)
  }

  #add(message: Message): void {
    const { split } = this.#plan
    const { sequences } = this.#options
    if (sequences?.readsMessages && !this.#accepted(sequences.acceptMessage(message))) return
    const elements = split === null ? null : split(message)
    if (elements === null) {
      if (this.#accept(message, message)) this.#addWhole(message)
      return
    }
    for (let i = 0; i < elements.length; i++) {
      if (this.#accept(elements[i]!, message)) this.#addElement(elements[i]!, message)
    }
  }

  /** false: the element is a duplicate. */
  #accept(part: Readable, message: Message): boolean {
    const { sequences } = this.#options
    return !sequences?.readsElements || this.#accepted(sequences.accept(part, message))
  }

  #accepted(verdict: Verdict): boolean {
    if (verdict === null) return true
    if (verdict === 'duplicate') return false
    this.#addGap(verdict)
    return !verdict.duplicate
  }

  #addGap(gap: Gap): void {
    this.#gaps ??= []
    this.#gaps.push({ at: this.#records.length, gap })
  }

  #addWhole(message: Message): void {
    let value: string | Buffer
    try {
      value = message.value
    } catch (error) {
      this.#push(message, null, null, this.#topic, null, message.data, dataError(error), receivedOf(message))
      return
    }
    const received = receivedOf(message)
    if (this.#readsNothing) this.#push(message, value, null, this.#topic, null, message.data, undefined, received)
    else this.#addPart(message, message, value, message.data, received)
  }

  /** The value of an element has the type of its message: text or bytes. */
  #addElement(element: Element, message: Message): void {
    const { text } = element
    if (typeof message.value === 'string') this.#addPart(element, message, text, undefined, TEXT_ELEMENT)
    else this.#addPart(element, message, Buffer.from(text), undefined, BINARY_ELEMENT)
  }

  #addPart(
    part: Readable,
    message: Message,
    value: string | Buffer,
    original: Buffer | undefined,
    received: SourceRecord['received'],
  ): void {
    const { skip, key, timestamp, timestampUnit, topic } = this.#plan
    if (skip?.(part)) return
    if (this.#readsFields && part.json === undefined) this.#options.onNotJson(message)
    try {
      this.#push(
        message,
        value,
        key === null ? null : textOf(key(part, message)),
        topic === null ? this.#topic : topic.topicOf(part, message),
        timestamp === null ? null : timestampOf(timestamp(part, message), timestampUnit),
        original,
        undefined,
        received,
      )
    } catch (error) {
      this.#push(message, null, null, this.#topic, null, original ?? Buffer.from(value), dataError(error), received)
    }
  }

  /** `original`: the received bytes for the dead-letter queue, if the value does not hold them. */
  #push(
    message: Message,
    value: string | Buffer | null,
    key: string | null,
    topic: string,
    timestamp: number | null,
    original: Buffer | undefined,
    error: DataError | undefined,
    received: SourceRecord['received'],
  ): void {
    const { sourcePartition, sequences } = this.#options
    const record: SourceRecord = {
      sourcePartition: this.#rebuilt ?? (sequences === null ? sourcePartition : sequences.partition),
      sourceOffset: this.#rebuilt === null ? this.#nextOffset() : {},
      topic,
      partition: undefined,
      key,
      keySchema: key === null ? null : OPTIONAL_STRING_SCHEMA,
      value,
      valueSchema: typeof value === 'string' ? OPTIONAL_STRING_SCHEMA : OPTIONAL_BYTES_SCHEMA,
      headers: this.headersOf(message),
      timestamp,
      original,
      originalIsText: !message.binary && original !== undefined && error === undefined,
      error,
    }
    const told = received === undefined ? record : { ...record, received }
    this.#records.push(this.#body === null ? told : this.#body.apply(told))
  }

  #nextOffset(): SourceOffset {
    const { sessionId, sequences } = this.#options
    const sequence = ++this.#sequence
    const streamSequence = sequences === null ? null : sequences.streamSequence
    if (streamSequence === null) return { session_id: sessionId, sequence }
    const offset = { session_id: sessionId, sequence, stream_sequence: streamSequence }
    sequences?.addOffset(offset)
    return offset
  }
}

function receivedOf({ binary }: Message): SourceRecord['received'] {
  return binary ? BINARY : undefined
}

function dataError(error: unknown): DataError {
  if (error instanceof DataError) return error
  throw error
}
