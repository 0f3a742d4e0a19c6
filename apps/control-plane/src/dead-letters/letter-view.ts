import type { LetterEvent } from '@tributary/connect-storage'
import type { LogRecord } from '@tributary/kafka'
import type { RecordMask } from '../access/record-mask.ts'
import { contentView } from './letter-content.ts'
import type { LetterRow, LetterStats } from '@tributary/dead-letters'

/** A letter as the API shows it, without what is in the record: whoever sees the connector's states may see this. */
export function letterView(row: LetterRow): object {
  return {
    dlq_id: row.id,
    source_table: row.originalTopic,
    error_type: row.errorType,
    error_message: row.message,
    retry_count: row.failedReplays,
    first_failed_at: iso(row.failedAt),
    last_retry_at: iso(row.lastReplayAt),
    dlq_timestamp: iso(row.failedAt),
    resolution_status: row.status,
    resolution_notes: row.notes,
    resolved_at: iso(row.resolvedAt),
    resolved_by: row.resolvedBy,
    original_event_summary: { event_id: row.traceId, operation: null, partition_key: null },
    connector: row.connector,
    task: row.task,
    topic: row.topic,
    partition: row.partition,
    offset: row.offset,
    original_topic: row.originalTopic,
    original_partition: row.originalPartition,
    original_offset: row.originalOffset,
    stage: row.stage,
    class_name: row.className,
    trace_id: row.traceId,
    timestamp: iso(row.timestamp),
    key_size: row.keySize,
    value_size: row.valueSize,
    value_cut: row.isCut,
    last_replay_id: row.lastReplay,
  }
}

/** With what is in the record, for those who may read records. */
/** `mask`: hides fields of the record. */
export function wholeLetterView(
  row: LetterRow,
  record: LogRecord,
  history: readonly LetterEvent[],
  mask: RecordMask,
): object {
  const shown = (bytes: Uint8Array | null): object | null => contentView(bytes && mask.bytes(bytes))
  const headers = record.headers.map(([name, value]) => ({ name: name?.toString() ?? '', value }))
  const ofHeader = (wanted: string): string | null =>
    headers.findLast(({ name }) => name === wanted)?.value?.toString() ?? null
  return {
    ...letterView(row),
    key: shown(record.key),
    value: shown(record.value),
    headers: headers.map(({ name, value }) => ({ name, value: contentView(value && mask.header(name, value)) })),
    exception_class: ofHeader('__connect.errors.exception.class.name'),
    stack_trace: ofHeader('__connect.errors.exception.stacktrace'),
    history: history.map(eventView),
  }
}

export function statsView(stats: LetterStats): object {
  const { total, byErrorType, byStatus, byConnector, byTopic, byOriginalTopic } = stats
  return {
    total_records: total,
    by_error_type: byErrorType,
    by_resolution_status: byStatus,
    by_table: byOriginalTopic,
    by_connector: byConnector,
    by_topic: byTopic,
  }
}

export function eventView({ id, at, by, kind, replay, notes, error }: LetterEvent): object {
  return {
    event_id: id,
    at: iso(at),
    by,
    kind,
    replay_id: replay ?? null,
    notes: notes ?? null,
    error_type: error?.type ?? null,
    error_message: error?.message ?? null,
  }
}

export function iso(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}
