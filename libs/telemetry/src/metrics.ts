import { metrics } from '@opentelemetry/api'
import type { Attributes, Meter } from '@opentelemetry/api'

/**
 * The meter of all our instruments. Call it where an instrument is made, after the process has loaded its SDK: an
 * instrument made before that stays without effect.
 */
export function meter(): Meter {
  return metrics.getMeter('tributary')
}

export interface Observation {
  readonly value: number
  readonly attributes?: Attributes
}

/**
 * A gauge read at each scrape, under exactly this name: the Prometheus exporter adds `_total` to counters, so documented
 * names whose alert rules must fire are gauges even where they count. Answers a function that removes it.
 */
export function observableGauge(name: string, description: string, observe: () => Iterable<Observation>): () => void {
  const gauge = meter().createObservableGauge(name, { description })
  const callback: Parameters<typeof gauge.addCallback>[0] = (result) => {
    for (const { value, attributes } of observe()) result.observe(value, attributes)
  }
  gauge.addCallback(callback)
  return () => gauge.removeCallback(callback)
}
