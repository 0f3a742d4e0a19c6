import { metrics } from '@opentelemetry/api'
import type { Attributes, Meter } from '@opentelemetry/api'

/**
 * The meter of all our instruments. Call it where an instrument is created, after the process has loaded the SDK: an
 * instrument that was created earlier has no effect.
 */
export function meter(): Meter {
  return metrics.getMeter('tributary')
}

export interface Observation {
  readonly value: number
  readonly attributes?: Attributes
}

/**
 * Creates a gauge that is read at each scrape and exported under exactly this name. The Prometheus exporter adds
 * `_total` to the names of counters. So a documented name on which alert rules depend is a gauge even if it counts.
 * Returns a function that removes the gauge.
 */
export function observableGauge(name: string, description: string, observe: () => Iterable<Observation>): () => void {
  const gauge = meter().createObservableGauge(name, { description })
  const callback: Parameters<typeof gauge.addCallback>[0] = (result) => {
    for (const { value, attributes } of observe()) result.observe(value, attributes)
  }
  gauge.addCallback(callback)
  return () => gauge.removeCallback(callback)
}
