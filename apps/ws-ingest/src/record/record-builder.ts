import {
  OPTIONAL_BYTES_SCHEMA,
  OPTIONAL_STRING_SCHEMA,
  type SourcePartition,
  type SourceRecord,
} from '@tributary/connect-api'
import type { Frame } from '../frame.ts'
import type { WebSocketConfig } from '../spec.ts'

export interface RecordBuilderOptions {
  readonly config: WebSocketConfig
  readonly sourcePartition: SourcePartition
  readonly sessionId: string
  /** `sequence` of the last committed record; the next one gets the number after it. */
  readonly lastSequence: number
}

/** Frames to records. The hot path: nothing async, no closure. */
export class RecordBuilder {
  readonly #options: RecordBuilderOptions
  #sequence: number

  constructor(options: RecordBuilderOptions) {
    this.#options = options
    this.#sequence = options.lastSequence
  }

  /** Number of the last record handed out. */
  get sequence(): number {
    return this.#sequence
  }

  build(frames: readonly Frame[]): SourceRecord[] {
    const { config, sourcePartition, sessionId } = this.#options
    const topic = config['kafka.topic']
    const records: SourceRecord[] = []
    for (let i = 0; i < frames.length; i++) {
      const { data, binary } = frames[i]!
      this.#sequence++
      records.push({
        sourcePartition,
        sourceOffset: { session_id: sessionId, sequence: this.#sequence },
        topic,
        partition: undefined,
        key: null,
        keySchema: null,
        value: binary ? data : data.toString(),
        valueSchema: binary ? OPTIONAL_BYTES_SCHEMA : OPTIONAL_STRING_SCHEMA,
        headers: undefined,
        timestamp: null,
        original: data,
      })
    }
    return records
  }
}
