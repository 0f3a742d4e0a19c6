import type { TaskHealth, TaskStats } from '@tributary/connect-api'
import type { BatchStep, HeldBatch } from '../model/task-progress.ts'
import { redact } from '@tributary/telemetry'
import type { TaskUnit } from '../unit/task-unit.ts'

/** A status write that takes more ms than this is waiting for Kafka. */
const STATUS_WRITE_MS = 1000
/** A batch that takes this many ms for one step before the producer is held up. */
const HELD_MS = 1000
/** Records for which Kafka has acknowledged nothing for this many ms do not flow. */
const UNANSWERED_MS = 10_000
/** A source without a message for this many ms is silent. */
const SILENT_MS = 60_000

const WAITS: Readonly<Record<Exclude<BatchStep, 'converter'>, string>> = {
  conversion: 'to be transformed and converted',
  topic: 'for its topic to be looked up or created in Kafka',
  lease: 'for the group to confirm that the task is still here',
  room: 'for Kafka to acknowledge the batches before it',
}

/** Messages received and not acknowledged by Kafka: those in the queue, and the records that poll made of the others. */
export function lagOf(unit: TaskUnit): number {
  return (unit.current?.stats.queueSize ?? 0) + (unit.current?.run.progress.unacknowledged ?? 0)
}

/** When the present connection was made, in ms since the epoch; null without one. A task that has failed is not connected. */
export function connectedSinceOf(unit: TaskUnit): number | null {
  return unit.failed ? null : (unit.current?.run.connection.connectedSince ?? null)
}

export function taskHealth(unit: TaskUnit, nowMs: number): TaskHealth {
  const { current, counts } = unit
  const run = current?.run
  const progress = run?.progress
  const stats = current?.stats
  const connectedSince = connectedSinceOf(unit)
  return {
    task: unit.id.task,
    state: unit.failed ? 'failed' : (run?.state ?? 'stopped'),
    connected: connectedSince !== null,
    connected_since: connectedSince,
    last_record_at: counts.time('lastRecordAt') || null,
    records_total: counts.count('recordsProduced'),
    rate: Math.round(counts.rate(nowMs)),
    lag: lagOf(unit),
    reconnects: counts.count('reconnects'),
    restarts: unit.restartPolicy.restarts,
    gaps: counts.count('sequenceGaps'),
    dropped: counts.count('messagesDropped'),
    latency_ms: Math.round((progress?.latencyMs ?? 0) * 10) / 10,
    queue_size: stats?.queueSize ?? 0,
    reason: redact(withCaution(withSpill(reason(unit, nowMs), unit), unit)),
  }
}

function withCaution(reason: string, unit: TaskUnit): string {
  const caution = unit.current?.caution() ?? null
  if (caution === null) return reason
  return `${reason}${/[.!?]$/.test(reason) ? '' : '.'} ${caution}`
}

function reason(unit: TaskUnit, nowMs: number): string {
  if (unit.failed) return `The task failed: ${messageOf(unit.failure)}${statusBehind(unit)}`
  const run = unit.current?.run
  if (!run) return 'The task is not running.'
  const outage = unit.current?.outage() ?? null
  if (outage !== null) return `Kafka does not answer, records wait: ${messageOf(outage)}`
  if (run.state === 'paused') return 'The task is paused.'
  const completed = unit.current?.completed() ?? null
  if (completed !== null && lagOf(unit) === 0) return completed
  const why = run.connection.lastError
  if (!run.connection.connected) {
    return why === null ? 'The task is connecting.' : `Not connected, trying again: ${messageOf(why)}`
  }
  if (why !== null) return `Connected, but the source cannot be read at present, trying again: ${messageOf(why)}`
  return flowReason(unit, nowMs)
}

/** What a connected task's records wait for, or why there are none. Records flow while Kafka acknowledges them. */
function flowReason(unit: TaskUnit, nowMs: number): string {
  const progress = unit.current?.run.progress
  const held = progress?.held ?? null
  if (held !== null && nowMs - held.since >= HELD_MS) {
    const batch = held.records === 1 ? 'A batch of 1 record' : `A batch of ${held.records} records`
    return `${batch} has waited ${seconds(nowMs - held.since)} s ${waitOf(held)}.`
  }
  const unanswered = progress?.silentMs(nowMs) ?? 0
  if (unanswered >= UNANSWERED_MS) {
    return `Connected; messages wait, and Kafka has acknowledged no record for ${seconds(unanswered)} s.`
  }
  if (unit.current?.memory.waiting) {
    const budget = mebibytes(unit.current.memory.budget.limit)
    return `Connected; the source waits, as messages that wait for Kafka take the memory budget of the process (${budget} MiB, memory.budget.percent).`
  }
  if (unit.current && queueFull(unit.current.stats)) {
    return 'Connected; the queue is full, as Kafka takes records more slowly than the source sends.'
  }
  const lastRecordAt = unit.counts.time('lastRecordAt')
  const lastAt = Math.max(unit.counts.time('lastMessageAt'), lastRecordAt)
  const waiting = lagOf(unit)
  if (waiting === 0 && lastAt === 0) return 'Connected; the source has sent nothing yet.'
  if (waiting === 0 && nowMs - lastAt >= SILENT_MS) {
    return `Connected; the source has sent nothing for ${seconds(nowMs - lastAt)} s.`
  }
  if (nowMs - lastRecordAt < SILENT_MS) return 'Records are flowing.'
  return waiting > 0
    ? 'Connected; the first messages are on their way to Kafka.'
    : 'Connected; the source sends, but none of its messages has become a record lately.'
}

function waitOf({ step, what, error }: HeldBatch): string {
  if (step !== 'converter') return WAITS[step]
  const why = error === null || error === undefined ? '' : `: ${messageOf(error).replace(/\.$/, '')}`
  return `for ${what}${why}`
}

function queueFull({ queueSize, queueCapacity, queueBytes, queueMaxBytes }: TaskStats): boolean {
  return queueSize >= queueCapacity || queueBytes >= queueMaxBytes
}

/** Adds the failure of the spill's disk: a user can mend a full disk, whose effect looks like a slow Kafka. */
function withSpill(sentence: string, { failed, current }: TaskUnit): string {
  const failure = current?.stats.spillFailure ?? null
  if (failed || failure === null) return sentence
  return `${sentence.replace(/\.$/, '')}; nothing more can be spilled, as ${failure}.`
}

const mebibytes = (bytes: number): number => Math.round(bytes / 1024 / 1024)

const seconds = (ms: number): number => Math.floor(ms / 1000)

/** Other processes see only the status topic, so health says when that is out of date. */
function statusBehind(unit: TaskUnit): string {
  return unit.statusWaitsMs > STATUS_WRITE_MS
    ? '; Kafka does not answer, so its status still shows the previous state'
    : ''
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
