import type { SourceRecord } from './record.ts'

/**
 * A single message transform. Returns the record, another record, or null to filter the record out. Throws DataError.
 */
export interface Transformation {
  configure(config: Readonly<Record<string, string>>): void
  apply(record: SourceRecord): SourceRecord | null
  close(): void
}
