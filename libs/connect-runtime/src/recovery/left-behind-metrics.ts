import { observableGauge, type Observation } from '@tributary/telemetry'
import type { RecoveryCount, LeftBehind } from './left-behind.ts'

/** Exports what lies on this host's disk of tasks that are not here, and what of it came to Kafka after all. */
export function registerLeftBehindMetrics(leftBehind: Pick<LeftBehind, 'counts'>): void {
  const observations = (value: (count: RecoveryCount) => number) => (): Observation[] =>
    leftBehind.counts().map((count) => ({
      value: value(count),
      attributes: {
        connector: count.id.connector,
        task: String(count.id.task),
        kind: count.plugin?.metricPrefix ?? 'source',
      },
    }))
  observableGauge(
    'tributary_late_records',
    'Records that Kafka got from this host after their task had moved to another',
    observations(({ records }) => records),
  )
  observableGauge(
    'tributary_left_behind_bytes',
    'Bytes on disk here of tasks that run elsewhere, or not at all',
    observations(({ bytes }) => bytes),
  )
}
