import { monitorEventLoopDelay } from 'node:perf_hooks'
import { observableGauge } from '@tributary/telemetry'

const NANOS = 1e9
/** The resolution of the monitor's timer. An idle event loop measures this much, so it is subtracted from the delay. */
const RESOLUTION_MS = 10

/** Exports memory, CPU and event loop delay of the process. Returns a function that ends this. */
export function observeProcess(): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  const observed = [
    observableGauge('tributary_process_memory_bytes', 'Memory of the process by kind', () => {
      const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage()
      return Object.entries({
        rss,
        heap_used: heapUsed,
        heap_total: heapTotal,
        external,
        array_buffers: arrayBuffers,
      }).map(([kind, value]) => ({ value, attributes: { kind } }))
    }),
    observableGauge('tributary_process_cpu_seconds_total', 'CPU time of the process by mode', () => {
      const { user, system } = process.cpuUsage()
      return Object.entries({ user, system }).map(([mode, micros]) => ({ value: micros / 1e6, attributes: { mode } }))
    }),
    observableGauge('tributary_process_start_time_seconds', 'Start of the process, seconds since the epoch', () => [
      { value: performance.timeOrigin / 1000 },
    ]),
    observableGauge('tributary_event_loop_delay_seconds', 'Delay of the event loop since the last scrape', () => {
      const quantiles = { '0.5': 50, '0.99': 99, '1': 100 }
      const values = Object.entries(quantiles).map(([quantile, percentile]) => ({
        value: delay.count === 0 ? 0 : Math.max(0, delay.percentile(percentile) / NANOS - RESOLUTION_MS / 1000),
        attributes: { quantile },
      }))
      delay.reset()
      return values
    }),
  ]
  return () => {
    delay.disable()
    for (const end of observed) end()
  }
}
