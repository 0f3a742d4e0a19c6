import type { ConfigError, OffsetEntry, SourcePartition } from '@tributary/connect-api'

/** The type of a field of an offset. A field that is absent or null is not checked. */
export type OffsetField = 'string' | 'number'

/**
 * Checks the offsets that an operator wants to store (`SourceConnector.checkOffsets`), for a connector with one source partition.
 * The offset of another partition may only be deleted. Throws the error that `invalid` makes of the reason.
 */
export function checkOffsets(
  offsets: readonly OffsetEntry[],
  partition: SourcePartition,
  fields: Readonly<Record<string, OffsetField>>,
  invalid: (reason: string) => ConfigError,
): void {
  const names = Object.keys(partition)
  for (const entry of offsets) {
    const missing = names.filter((name) => typeof entry.partition[name] !== typeof partition[name])
    if (missing.length > 0) throw invalid(`a source partition has the fields ${names.join(', ')}`)
    if (entry.offset === null) continue
    if (names.some((name) => entry.partition[name] !== partition[name])) {
      throw invalid(`this connector reads ${JSON.stringify(partition)} only`)
    }
    for (const [name, type] of Object.entries(fields)) {
      const value = entry.offset[name]
      if (value !== undefined && value !== null && typeof value !== type) throw invalid(`${name} must be a ${type}`)
    }
  }
}
