import { LoopPacer } from '@tributary/async'
import { observableGauge } from '@tributary/telemetry'

/** Paces the event loop of this process, and registers the metric. `intervalMs` 0: leaves the loop alone, and returns null. */
export function paceLoop(intervalMs: number): LoopPacer | null {
  if (intervalMs === 0) return null
  const pacer = new LoopPacer(intervalMs)
  observableGauge(
    'tributary_event_loop_paced',
    'Whether the event loop is so busy that it turns at most once each event.loop.interval.ms',
    () => [{ value: pacer.active ? 1 : 0, attributes: {} }],
  )
  return pacer
}
