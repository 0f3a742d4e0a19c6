import {
  ConfigError,
  DataError,
  type Header,
  OPTIONAL_BYTES_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  type SourceOffset,
  type SourcePartition,
  type SourceRecord,
  type Schema,
} from '@tributary/connect-api'
import type { Decoder } from './decoder.ts'
import type { Resume, ResumeValue } from './resume.ts'

export interface RecordBuilderOptions {
  readonly topic: string
  readonly sourcePartition: SourcePartition
  /** Id of this run of the task; `session_id` in source offsets, as in the JVM connector's. */
  readonly runId: string
  /** The `sequence` of the last committed record. The next record gets the following number. */
  readonly lastSequence: number
  /** null: the stream cannot resume. */
  readonly resume: Resume | null
}

/**
 * Turns messages into records. Hot path: nothing is asynchronous, no closure is created, and a record costs only
 * itself, its offset and its value.
 */
export class RecordBuilder {
  readonly #options: RecordBuilderOptions
  #decoder: Decoder | null = null
  #headers: readonly Header[] | undefined
  #sequence: number
  /** An error that no record can carry. The records of the messages before it are delivered first. */
  #failure: ConfigError | null = null

  constructor(options: RecordBuilderOptions) {
    this.#options = options
    this.#sequence = options.lastSequence
  }

  /** The number of the last record that was returned. */
  get sequence(): number {
    return this.#sequence
  }

  /** The source partition, and the offset after the last record that was returned. */
  get position(): { readonly partition: SourcePartition; readonly offset: SourceOffset } {
    const { sourcePartition: partition, resume } = this.#options
    const offset = this.#offset(resume === null ? null : resume.last)
    const digests = resume?.digests ?? ''
    return { partition, offset: digests === '' ? offset : { ...offset, digests } }
  }

  /** Continues the numbers after the last record of the predecessor. */
  takeOver(lastSequence: number): void {
    this.#sequence = lastSequence
  }

  /** Starts a new stream: sets how its messages are decoded and the headers of its records. */
  startStream(decoder: Decoder, headers: readonly Header[] | undefined): void {
    this.#options.resume?.reconnected()
    this.#decoder = decoder
    this.#headers = headers
  }

  /** Throws ConfigError if a message of the last batch must fail the task. Call it before the next message is taken. */
  check(): void {
    if (this.#failure !== null) throw this.#failure
  }

  /** Sets how messages of the present stream are decoded from now on. */
  useDecoder(decoder: Decoder): void {
    this.#decoder = decoder
  }

  /** The records of a batch of messages, without those that the resume field shows to be duplicates. */
  build(messages: readonly Uint8Array[]): SourceRecord[] {
    const decoder = this.#started()
    const records: SourceRecord[] = []
    try {
      for (let i = 0; i < messages.length; i++) {
        const record = this.#record(decoder, messages[i]!)
        if (record !== null) records.push(record)
      }
    } catch (error) {
      if (!(error instanceof ConfigError) || records.length === 0) throw error
      this.#failure = error
    }
    this.#addDigests(records.at(-1))
    return records
  }

  /** Only the last offset of a batch is committed. */
  #addDigests(last: SourceRecord | undefined): void {
    const digests = this.#options.resume?.digests ?? ''
    if (last !== undefined && digests !== '') Object.assign(last.sourceOffset, { digests })
  }

  /**
   * The records of a batch, with another try for the values that had no JSON form: the decoder of `startStream` has
   * learned types since.
   */
  decodeAgain(records: readonly SourceRecord[]): SourceRecord[] {
    const decoder = this.#started()
    return records.map((record) => {
      if (record.error?.code !== 'PROTOBUF_JSON') return record
      try {
        return { ...record, value: decoder.value(record.original as Uint8Array), error: undefined }
      } catch (error) {
        if (!(error instanceof DataError)) throw error
        return { ...record, error }
      }
    })
  }

  #started(): Decoder {
    if (this.#decoder === null) throw new Error('no stream has been opened')
    return this.#decoder
  }

  #record(decoder: Decoder, message: Uint8Array): SourceRecord | null {
    const { topic, sourcePartition, resume } = this.#options
    let key: string | Uint8Array | null = null
    let value: string | Uint8Array | null = null
    let timestamp: number | null = null
    let error: DataError | undefined
    try {
      if (decoder.skips?.(message)) return null
      if (resume !== null && !resume.accept(decoder.resume(message), message)) return null
      key = decoder.key(message)
      timestamp = decoder.timestamp(message)
      value = decoder.value(message)
    } catch (cause) {
      if (!(cause instanceof DataError)) throw cause
      error = cause
    }
    this.#sequence++
    return {
      sourcePartition,
      sourceOffset: this.#offset(resume === null ? null : resume.last),
      topic,
      partition: undefined,
      key,
      keySchema: schemaOf(key),
      value,
      valueSchema: decoder.valueSchema,
      headers: this.#headers,
      timestamp,
      original: message,
      error,
    }
  }

  #offset(resume: ResumeValue | null): SourceOffset {
    return resume === null
      ? { session_id: this.#options.runId, sequence: this.#sequence }
      : { session_id: this.#options.runId, sequence: this.#sequence, resume }
  }
}

function schemaOf(key: string | Uint8Array | null): Schema | null {
  if (key === null) return null
  return typeof key === 'string' ? OPTIONAL_STRING_SCHEMA : OPTIONAL_BYTES_SCHEMA
}
