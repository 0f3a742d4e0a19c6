import { observableGauge, type Observation } from '@tributary/telemetry'
import type { RecoveryCount, LeftBehind } from './left-behind.ts'

/** Exports, per task, the bytes left behind on this host's disk and the records that recovery tasks delivered from there. */
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
    'Records that recovery tasks delivered from this host after their task had moved to another host',
    observations(({ records }) => records),
  )
  observableGauge(
    'tributary_left_behind_bytes',
    'Bytes on the disk of this host that belong to tasks that do not run on this worker',
    observations(({ bytes }) => bytes),
  )
}
