import type { SourceRecord } from '@tributary/connect-api'

/** Records of a batch and what was put between them, in order, each with the number of its place in the source offset. */
export class WovenRecords {
  readonly records: SourceRecord[] = []
  #sequence: number

  /** `before`: number of the last record before the first. */
  constructor(before: number) {
    this.#sequence = before
  }

  /** Records of messages, from index `from` to before `to`; each has the next number. */
  add(records: readonly SourceRecord[], from: number, to: number): void {
    for (let i = from; i < to; i++) {
      this.#sequence++
      this.records.push(this.#numbered(records[i]!))
    }
  }

  /** A record that tells of messages and is none: it stands where the one before it does. */
  tell(record: SourceRecord): void {
    this.records.push(this.#numbered(record))
  }

  #numbered(record: SourceRecord): SourceRecord {
    if (record.sourceOffset['sequence'] === this.#sequence) return record
    return { ...record, sourceOffset: { ...record.sourceOffset, sequence: this.#sequence } }
  }
}
