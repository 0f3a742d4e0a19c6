import { observableGauge, type Observation } from '@tributary/telemetry'
import type { TaskUnit } from '../unit/task-unit.ts'
import { connectedSinceOf, lagOf } from './health.ts'

type Labels = Record<string, string>
interface Reading {
  readonly name: string
  readonly help: string
  /**
   * `tributary`: labels connector, task and kind. `documented`: label connector_name, and the labels of the source. `connect`: labels
   * connector and task, as the MBeans of Kafka Connect have them.
   */
  readonly scope: 'tributary' | 'documented' | 'connect'
  read(unit: TaskUnit, nowMs: number): number
}

const stats = (unit: TaskUnit) => unit.current?.stats
const progress = (unit: TaskUnit) => unit.current?.run.progress
const connected = (unit: TaskUnit): number => (connectedSinceOf(unit) === null ? 0 : 1)
const memoryWaiting = (unit: TaskUnit): number => (unit.current?.memory.waiting ? 1 : 0)
const percent = (part: number, whole: number): number => (whole > 0 ? (part * 100) / whole : 0)

/** All metrics of a task. The documented names are gauges, because an exporter would add `_total` to a counter's name. */
export const TASK_METRICS: readonly Reading[] = [
  own('messages_received', 'Messages that the transport handed us', (u) => u.counts.count('messagesReceived')),
  own('bytes_received', 'Bytes that the transport handed us', (u) => u.counts.count('bytesReceived')),
  own('messages_dropped', 'Messages dropped by an opt-in policy', (u) => u.counts.count('messagesDropped')),
  own('messages_not_json', 'Messages of which no field could be read', (u) => u.counts.count('messagesNotJson')),
  own('duplicates', 'Messages received again after a resume and left out', (u) => u.counts.count('duplicates')),
  own('sequence_gaps', 'Gaps in the numeric sequence of the source', (u) => u.counts.count('sequenceGaps')),
  own('sequence_gap_messages', 'Messages that the gaps span', (u) => u.counts.count('sequenceGapMessages')),
  own('gaps_filled', 'Of these gaps, filled by a backfill', (u) => u.counts.count('gapsFilled')),
  own('gap_messages_filled', 'Messages that backfills brought', (u) => u.counts.count('gapMessagesFilled')),
  own('messages_spilled', 'Messages written to disk, as the queue was full', (u) => u.counts.count('messagesSpilled')),
  own('spill_bytes', 'Bytes on disk that wait for Kafka', (u) => stats(u)?.spillBytes ?? 0),
  own('spill_max_bytes', 'Bound of the bytes on disk; 0: nothing is spilled', (u) => stats(u)?.spillMaxBytes ?? 0),
  own('records_polled', 'Records handed out by the task', (u) => u.counts.count('recordsPolled')),
  own('records_produced', 'Records that the broker acknowledged', (u) => u.counts.count('recordsProduced')),
  own('records_committed', 'Records whose offsets are durable', (u) => u.counts.count('recordsCommitted')),
  own('records_abandoned', 'Records given up at a stop or failure', (u) => u.counts.count('recordsAbandoned')),
  own('records_filtered', 'Records that a transform filtered out', (u) => u.counts.count('recordsFiltered')),
  own('records_skipped', 'Bad records that errors.tolerance=all let pass', (u) => u.counts.count('recordsSkipped')),
  own('records_dead_lettered', 'Of these, sent to the dead-letter queue', (u) => u.counts.count('recordsDeadLettered')),
  own('queue_records', 'Records in the queue', (u) => stats(u)?.queueSize ?? 0),
  own('queue_bytes', 'Bytes in the queue', (u) => stats(u)?.queueBytes ?? 0),
  own('queue_max_bytes', 'Bound of the queue in bytes', (u) => stats(u)?.queueMaxBytes ?? 0),
  own('memory_bytes', 'What the task has of the memory budget of the process', (u) => u.current?.memory.used ?? 0),
  own('memory_waiting', '1 while the source waits, as the task has too much of that budget', memoryWaiting),
  own('in_flight_records', 'Records on their way to the broker', (u) => progress(u)?.inFlightRecords ?? 0),
  own('connected', '1 while connected to the source', connected),
  own('reconnects', 'Tries to connect again', (u) => u.counts.count('reconnects')),
  own('hand_overs', 'Runs of the task that followed another one with overlap', (u) => u.handOvers),
  own('task_restarts', 'Restarts of the task by itself', (u) => u.restartPolicy.restarts),
  own('task_failed', '1 while the task is FAILED', (u) => (u.failed ? 1 : 0)),
  connect('source_record_poll_total', (u) => u.counts.count('recordsPolled')),
  connect('source_record_write_total', (u) => u.counts.count('recordsWritten')),
  connect('source_record_write_rate', (u, now) => u.counts.rate(now)),
  connect('source_record_active_count', (u) => progress(u)?.inFlightRecords ?? 0),
  connect('task_failures', (u) => u.restartPolicy.restarts),
  documented('MessagesReceived', (u) => u.counts.count('messagesReceived')),
  documented('MessagesDropped', (u) => u.counts.count('messagesDropped')),
  documented('RecordsProduced', (u) => u.counts.count('recordsProduced')),
  documented('QueueSize', (u) => stats(u)?.queueSize ?? 0),
  documented('QueueCapacity', (u) => stats(u)?.queueCapacity ?? 0),
  documented('QueueUtilizationPercent', (u) => percent(stats(u)?.queueSize ?? 0, stats(u)?.queueCapacity ?? 0)),
  documented('isConnected', connected),
  documented('IsConnected', connected),
  documented('Connected', connected),
  documented('MillisSinceLastMessage', (u, now) => {
    const at = u.counts.time('lastMessageAt')
    return at === 0 ? -1 : Math.max(0, now - at)
  }),
  documented('UptimeMillis', (u, now) => {
    const since = connectedSinceOf(u)
    return since === null ? 0 : Math.max(0, now - since)
  }),
  documented('TotalReconnects', (u) => u.counts.count('reconnects')),
  documented('LagCount', lagOf),
  documented('DropRate', (u) => percent(u.counts.count('messagesDropped'), u.counts.count('messagesReceived'))),
  documented('sequence_gaps', (u) => u.counts.count('sequenceGaps')),
]

function own(name: string, help: string, read: Reading['read']): Reading {
  return { name: `tributary_${name}`, help, scope: 'tributary', read }
}

/** An attribute of Kafka Connect's source-task-metrics, under the name that Prometheus' exporter of MBeans gives it. */
function connect(name: string, read: Reading['read']): Reading {
  const help = `As Kafka Connect's source-task-metrics: ${name.replaceAll('_', '-')}`
  return { name: `kafka_connect_source_task_metrics_${name}`, help, scope: 'connect', read }
}

function documented(name: string, read: Reading['read']): Reading {
  return { name, help: `As documented for the connector: ${name}`, scope: 'documented', read }
}

/** Registers the metrics of all tasks of the worker. A scrape reads their values. */
export function registerTaskMetrics(tasks: () => readonly TaskUnit[], prefixes: readonly string[]): void {
  for (const reading of TASK_METRICS) {
    const { name, help } = reading
    if (reading.scope !== 'documented') {
      const labels = reading.scope === 'connect' ? connectLabels : ownLabels
      observableGauge(name, help, () => tasks().map((unit) => observe(reading, unit, labels(unit))))
      continue
    }
    for (const prefix of prefixes) {
      observableGauge(`${prefix}_${name}`, help, () => {
        const own = tasks().filter((unit) => unit.plugin.metricPrefix === prefix)
        return own.map((unit) => observe(reading, unit, documentedLabels(unit)))
      })
    }
  }
}

function observe(reading: Reading, unit: TaskUnit, attributes: Labels): Observation {
  return { value: reading.read(unit, Date.now()), attributes }
}

function ownLabels(unit: TaskUnit): Labels {
  return { connector: unit.id.connector, task: String(unit.id.task), kind: unit.plugin.metricPrefix ?? 'source' }
}

function connectLabels({ id }: TaskUnit): Labels {
  return { connector: id.connector, task: String(id.task) }
}

function documentedLabels(unit: TaskUnit): Labels {
  return { connector_name: unit.id.connector, ...unit.current?.labels }
}
