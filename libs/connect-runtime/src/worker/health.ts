import type { TaskHealth } from '@tributary/connect-api'
import type { TaskUnit } from '../unit/task-unit.ts'

/** A status write that takes more ms than this is waiting for Kafka. */
const STATUS_WRITE_MS = 1000

export function taskHealth(unit: TaskUnit, nowMs: number): TaskHealth {
  const { current, counts } = unit
  const run = current?.run
  const progress = run?.progress
  const stats = current?.stats
  const connection = run?.connection
  return {
    task: unit.id.task,
    state: unit.failed ? 'failed' : (run?.state ?? 'stopped'),
    connected: connection?.connected ?? false,
    connected_since: connection?.connectedSince ?? null,
    last_record_at: counts.time('lastRecordAt') || null,
    records_total: counts.count('recordsProduced'),
    rate: Math.round(counts.rate(nowMs)),
    lag: (stats?.queueSize ?? 0) + (progress?.inFlightRecords ?? 0),
    reconnects: counts.count('reconnects'),
    restarts: unit.restartPolicy.restarts,
    gaps: counts.count('sequenceGaps'),
    dropped: counts.count('messagesDropped'),
    latency_ms: Math.round((progress?.latencyMs ?? 0) * 10) / 10,
    queue_size: stats?.queueSize ?? 0,
    reason: unit.redact(reason(unit, nowMs)),
  }
}

function reason(unit: TaskUnit, nowMs: number): string {
  if (unit.failed) return `The task failed: ${messageOf(unit.failure)}${statusBehind(unit)}`
  const run = unit.current?.run
  if (!run) return 'The task is not running.'
  const outage = unit.current?.outage() ?? null
  if (outage !== null) return `Kafka does not answer, records wait: ${messageOf(outage)}`
  if (run.state === 'paused') return 'The task is paused.'
  const why = run.connection.lastError
  if (!run.connection.connected) {
    return why === null ? 'The task is connecting.' : `Not connected, trying again: ${messageOf(why)}`
  }
  if (why !== null) return `Connected, but the source cannot be read at present, trying again: ${messageOf(why)}`
  const lastAt = unit.counts.time('lastMessageAt')
  if (lastAt === 0) return 'Connected; the source has sent nothing yet.'
  const silentSeconds = Math.floor((nowMs - lastAt) / 1000)
  if (silentSeconds >= 60) return `Connected; the source has sent nothing for ${silentSeconds} s.`
  if (unit.current && unit.current.stats.queueSize >= unit.current.stats.queueCapacity) {
    return 'Connected; the queue is full, as Kafka takes records more slowly than the source sends.'
  }
  return 'Records are flowing.'
}

/** Other processes see only the status topic, so health says when that is out of date. */
function statusBehind(unit: TaskUnit): string {
  return unit.statusWaitsMs > STATUS_WRITE_MS
    ? '; Kafka does not answer, so its status still shows the previous state'
    : ''
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
