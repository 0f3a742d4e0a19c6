import type { ReplayedRecord } from '@tributary/connect-api'
import type { Replay, ReplayResults } from '@tributary/connect-storage'
import type { Tried } from './dry-run.ts'
import { iso } from './letter-view.ts'
import { hasEnded } from './replays.ts'

/** Letters a second that a replay without a rate is expected to do. */
const EXPECTED_RATE = 10_000

/** A replay as the API shows it. Every replica knows the same. */
export function replayView(replay: Replay, results: ReplayResults, now = Date.now()): object {
  const { success, failed, skipped } = results
  const processed = success + failed + skipped
  const ended = hasEnded(replay)
  const remaining = Math.max(replay.count - processed, 0)
  const { startedAt, completedAt } = replay
  return {
    replay_id: replay.id,
    status: statusOf(replay, now),
    dlq_ids_count: replay.count,
    retry_strategy: replay.strategy,
    created_at: iso(replay.at),
    created_by: replay.by,
    scheduled_time: iso(replay.scheduledAt),
    started_at: iso(startedAt),
    completed_at: iso(completedAt),
    duration_seconds: startedAt === null ? null : ((completedAt ?? now) - startedAt) / 1000,
    progress: {
      processed,
      remaining,
      percent_complete:
        replay.count === 0
          ? ended
            ? 100
            : 0
          : Math.floor((Math.min(processed, replay.count) / replay.count) * 1000) / 10,
    },
    results: { success, failed, skipped },
    failed_events: replay.failures.map(({ id, topic, partition, offset, type, message }) => {
      return { dlq_id: id, topic, partition, offset, error_type: type, error_message: message }
    }),
    waiting_for: replay.waitingFor,
    estimated_completion_time: ended ? null : iso(estimate(replay, processed, remaining, now)),
    rate: replay.rate,
    target_topic: replay.targetTopic,
    edits: replay.edits,
    force: replay.force,
    filter: filterView(replay),
    resolution_notes: replay.notes,
    cancelled_by: replay.cancelledBy,
  }
}

function statusOf({ state, scheduledAt }: Replay, now: number): string {
  return state === 'scheduled' && (scheduledAt ?? 0) <= now ? 'queued' : state
}

/** ms since the epoch. */
function estimate({ scheduledAt, startedAt, rate }: Replay, processed: number, remaining: number, now: number): number {
  const begins = Math.max(scheduledAt ?? 0, now)
  const seen = startedAt !== null && processed > 0 ? (processed / Math.max(now - startedAt, 1)) * 1000 : EXPECTED_RATE
  return Math.ceil(begins + (remaining / (rate ?? seen)) * 1000)
}

function filterView({ choice }: Replay): object {
  const { ids, connectors, topics, originalTopics, errorTypes, statuses, from, to, text, limit } = choice
  return {
    dlq_ids: ids,
    connector: connectors,
    topic: topics,
    table: originalTopics,
    error_type: errorTypes,
    status: statuses,
    start_date: iso(from),
    end_date: iso(to),
    text,
    limit,
  }
}

/** A dry run. `show`: a record of the connector as the caller may see it; null: the caller may not read it. */
export function dryRunView(
  replay: Replay,
  tried: readonly Tried[],
  show: (connector: string | null, record: ReplayedRecord) => ReplayedRecord | null,
): object {
  const names = tried.map(({ outcome: { outcome } }) => outcome.replace('-', '_'))
  return {
    dry_run: true,
    dlq_ids_count: replay.count,
    results: Object.fromEntries([...Map.groupBy(names, (name) => name)].map(([name, { length }]) => [name, length])),
    records: tried.map(({ row: { id, connector }, outcome }, i) => {
      const record = 'record' in outcome ? show(connector, outcome.record) : null
      return {
        ...{ dlq_id: id, connector, outcome: names[i] },
        ...(record !== null && { record }),
        ...('message' in outcome && { error_type: outcome.type, error_message: outcome.message }),
      }
    }),
  }
}
