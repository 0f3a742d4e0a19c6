import {
  ConfigError,
  DataError,
  type Header,
  OPTIONAL_BYTES_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  PackedRecords,
  type Polled,
  type Schema,
  type SourceOffset,
  type SourcePartition,
  type SourceRecord,
} from '@tributary/connect-api'
import { takeBytes } from '../schema/index.ts'
import { joinSmall, type MessageRun } from '../transport/index.ts'
import type { Decoder } from './decoder.ts'
import { Pack } from './pack.ts'
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
 * Turns messages into packs of records. Hot path: nothing is asynchronous, and a record costs its value, and its key if there is one.
 * A message that cannot be decoded becomes a record with an error, between two packs.
 */
export class RecordBuilder {
  readonly #options: RecordBuilderOptions
  #decoder: Decoder | null = null
  #headers: readonly Header[] | undefined
  #sequence: number
  /** An error that no record can carry. The records of the messages before it are delivered first. */
  #failure: ConfigError | null = null
  readonly #pack: Pack
  /** The resume values of the records in `#pack`. */
  #resumes: (ResumeValue | null)[] = []
  /** What the offset of the last record of the last pack has beside its value. */
  #tail: { digests: string } | null = null

  constructor(options: RecordBuilderOptions) {
    this.#options = options
    this.#pack = new Pack(options)
    this.#sequence = options.lastSequence
  }

  /** The number of the last record that was returned. */
  get sequence(): number {
    return this.#sequence
  }

  /** The source partition, and the offset after the last record that was returned. */
  get position(): { readonly partition: SourcePartition; readonly offset: SourceOffset } {
    const { sourcePartition: partition, resume } = this.#options
    const offset = this.#offset(this.#sequence, resume === null ? null : resume.last)
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
  build(runs: readonly MessageRun[]): Polled[] {
    const decoder = this.#started()
    const out: Polled[] = []
    this.#tail = null
    try {
      for (const run of joinSmall(runs)) {
        this.#add(decoder, run, out)
      }
    } catch (error) {
      if (!(error instanceof ConfigError) || out.length === 0) throw error
      this.#failure = error
    }
    this.#addDigests(out.at(-1))
    return out
  }

  /** Only the last offset of a batch is committed. */
  #addDigests(last: Polled | undefined): void {
    const digests = this.#options.resume?.digests ?? ''
    if (last === undefined || digests === '') return
    if (last instanceof PackedRecords) this.#tail!.digests = digests
    else Object.assign(last.sourceOffset, { digests })
  }

  /**
   * The records of a batch, with another try for the values that had no JSON form: the decoder of `startStream` has
   * learned types since.
   */
  decodeAgain(records: readonly Polled[]): Polled[] {
    const { json, struct } = this.#started()
    return records.map((record) => {
      if (record instanceof PackedRecords || record.error?.code !== 'PROTOBUF_JSON') return record
      try {
        const message = record.original as Buffer
        const value =
          struct === null
            ? takeBytes(json!(message, 0, message.length, 0)).toString()
            : struct.read(message, 0, message.length)
        return { ...record, value, error: undefined }
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

  /** Appends the records of a run: packs, and records with errors between them. */
  #add(decoder: Decoder, { bytes, bounds, count }: MessageRun, out: Polled[]): void {
    const { resume } = this.#options
    const { json, struct, skips, key: readKey, timestamp: readTimestamp } = decoder
    const pack = this.#pack
    const now = readTimestamp === null ? 0 : Date.now()
    pack.begin(bytes, json !== null, struct)
    try {
      for (let i = 0; i < count; i++) {
        const start = bounds[2 * i]!
        const end = bounds[2 * i + 1]!
        let key: string | Uint8Array | null = null
        let time: number | null = null
        try {
          if (skips?.(bytes, start, end)) continue
          if (resume !== null && !this.#accepts(decoder, resume, bytes, start, end)) continue
          if (readKey !== null) key = readKey(bytes, start, end)
          if (readTimestamp !== null) time = readTimestamp(bytes, start, end)
          const value = struct === null ? null : struct.read(bytes, start, end)
          if (pack.full || !pack.fits(key)) this.#takePack(decoder, bytes, out)
          if (struct !== null) pack.addStruct(value)
          pack.add(start, end, json === null ? 0 : json(bytes, start, end, pack.end), key, time ?? now)
          if (resume !== null) this.#resumes.push(resume.last)
        } catch (error) {
          if (!(error instanceof DataError)) throw error
          this.#takePack(decoder, bytes, out)
          out.push(this.#failed(decoder, bytes.subarray(start, end), key, time, error))
        }
      }
    } finally {
      this.#takePack(decoder, bytes, out)
    }
  }

  #accepts(decoder: Decoder, resume: Resume, bytes: Buffer, start: number, end: number): boolean {
    const value = decoder.resume === null ? null : decoder.resume(bytes, start, end)
    return resume.accept(value, bytes.subarray(start, end))
  }

  /** Appends the gathered records to `out`, if there are any, and begins the next pack. */
  #takePack(decoder: Decoder, bytes: Buffer, out: Polled[]): void {
    const pack = this.#pack
    if (pack.count === 0) return
    const { resume } = this.#options
    const first = this.#sequence + 1
    const last = pack.count - 1
    const resumes = resume === null ? null : this.#resumes
    const tail: { digests: string } = { digests: '' }
    this.#resumes = []
    this.#tail = tail
    this.#sequence += pack.count
    const offsetOf = (index: number): SourceOffset => {
      const offset = this.#offset(first + index, resumes === null ? null : resumes[index]!)
      return index === last && tail.digests !== '' ? { ...offset, digests: tail.digests } : offset
    }
    out.push(pack.take(offsetOf, this.#headers, decoder.timestamp !== null))
    pack.begin(bytes, decoder.json !== null, decoder.struct)
  }

  /** The record of a message that cannot be decoded. */
  #failed(
    decoder: Decoder,
    message: Buffer,
    key: string | Uint8Array | null,
    timestamp: number | null,
    error: DataError,
  ): SourceRecord {
    const { topic, sourcePartition, resume } = this.#options
    this.#sequence++
    return {
      sourcePartition,
      sourceOffset: this.#offset(this.#sequence, resume === null ? null : resume.last),
      topic,
      partition: undefined,
      key,
      keySchema: keySchemaOf(key),
      value: null,
      valueSchema:
        decoder.struct !== null
          ? decoder.struct.schema
          : decoder.json === null
            ? OPTIONAL_BYTES_SCHEMA
            : OPTIONAL_STRING_SCHEMA,
      headers: this.#headers,
      timestamp,
      original: message,
      error,
    }
  }

  #offset(sequence: number, resume: ResumeValue | null): SourceOffset {
    return resume === null
      ? { session_id: this.#options.runId, sequence }
      : { session_id: this.#options.runId, sequence, resume }
  }
}

export function keySchemaOf(key: string | Uint8Array | null): Schema | null {
  return key === null ? null : typeof key === 'string' ? OPTIONAL_STRING_SCHEMA : OPTIONAL_BYTES_SCHEMA
}
