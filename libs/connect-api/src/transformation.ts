import type { SourceRecord } from './record.ts'

/** A single message transform: returns the record, another, or null to filter it out. Throws DataError. */
export interface Transformation {
  configure(config: Readonly<Record<string, string>>): void
  apply(record: SourceRecord): SourceRecord | null
  close(): void
}
