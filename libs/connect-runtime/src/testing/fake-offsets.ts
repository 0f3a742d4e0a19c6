import { Gate } from '@tributary/async'
import type { OffsetEntry, SourceOffset, SourcePartition } from '@tributary/connect-api'
import type { OffsetRecord, OffsetStore } from '@tributary/connect-storage'

export class FakeOffsets implements OffsetStore {
  readonly writes: SourceOffset[] = []
  readonly up = new Gate(true)
  trouble: string | null = null
  #last: SourceOffset | null = null

  async start(): Promise<void> {}
  async refresh(): Promise<void> {}
  async stop(): Promise<void> {}

  offsets(): readonly OffsetEntry[] {
    return []
  }
  offset(_connector: string, _partition: SourcePartition): SourceOffset | null {
    return this.#last
  }
  encode(_connector: string, entries: readonly OffsetEntry[]): OffsetRecord[] {
    return entries.map((e) => ({
      topic: 'offsets',
      partition: 0,
      key: Buffer.from(JSON.stringify(e.partition)),
      value: Buffer.from(JSON.stringify(e.offset)),
    }))
  }
  async write(_connector: string, entries: readonly OffsetEntry[], signal?: AbortSignal): Promise<void> {
    await this.up.passed(signal ?? new AbortController().signal)
    for (const { offset } of entries) {
      this.#last = offset
      if (offset) this.writes.push(offset)
    }
  }
}
