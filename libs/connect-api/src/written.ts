import { hasReferences } from '@tributary/config'
import type { Props } from './source.ts'
import type { SourceOffset, SourcePartition } from './record.ts'

/**
 * The text of a setting for a source partition, which everyone may read, and which must stay when a secret is rotated: as the
 * user wrote it if that has a reference `${…}`, else `value`. `written`: see `TaskContext.written`; absent: without references.
 */
export function writtenText(written: Props | undefined, key: string, value: string): string {
  const text = written?.[key]?.trim()
  return text !== undefined && hasReferences(text) ? text : value
}

/**
 * Looks an offset up by its partition, then by those that earlier versions, or the JVM connector, stored it under: there the
 * references of the configuration were resolved.
 */
export function offsetOrFormer(
  offsets: { offset(partition: SourcePartition): SourceOffset | null },
  partition: SourcePartition,
  former: SourcePartition,
): SourceOffset | null {
  return offsets.offset(partition) ?? offsets.offset(former)
}
