export interface Observation {
  readonly value: number
  /** The labels of the series. */
  readonly attributes?: Readonly<Record<string, string | number>>
}

type Observe = () => Iterable<Observation>

interface Gauge {
  readonly description: string
  readonly observers: Set<Observe>
}

/** The gauges of this process by name, in the order of their creation. */
const gauges = new Map<string, Gauge>()

/**
 * Creates a gauge that is read at each scrape and exported under exactly this name, because documented alert expressions
 * name metrics exactly. A documented name is a gauge even if it counts. A series that is no longer observed disappears.
 * Returns a function that removes the gauge.
 */
export function observableGauge(name: string, description: string, observe: Observe): () => void {
  const gauge = gauges.get(name) ?? { description, observers: new Set<Observe>() }
  gauges.set(name, gauge)
  const observer: Observe = () => observe()
  gauge.observers.add(observer)
  return () => {
    gauge.observers.delete(observer)
    if (gauge.observers.size === 0 && gauges.get(name) === gauge) gauges.delete(name)
  }
}

/** Content type of `prometheusText`. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** All gauges as they are now (https://prometheus.io/docs/instrumenting/exposition_formats). Throws what an observer throws. */
export function prometheusText(): string {
  let text = ''
  for (const [name, { description, observers }] of gauges) {
    text += metricText(
      name,
      description,
      'gauge',
      [...observers].flatMap((observe) => [...observe()]),
    )
  }
  return text
}

/** One metric with its series; '' without any. */
export function metricText(
  name: string,
  description: string,
  type: 'counter' | 'gauge',
  observations: readonly Observation[],
): string {
  let samples = ''
  for (const { value, attributes } of observations) samples += `${name}${labels(attributes)} ${numberText(value)}\n`
  return samples === '' ? '' : `# HELP ${name} ${escape(description)}\n# TYPE ${name} ${type}\n${samples}`
}

function labels(attributes: Observation['attributes']): string {
  const pairs = Object.entries(attributes ?? {}).map(([name, value]) => `${name}="${escapeLabel(String(value))}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function numberText(value: number): string {
  return Number.isFinite(value) || Number.isNaN(value) ? String(value) : value > 0 ? '+Inf' : '-Inf'
}

function escape(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escape(text).replaceAll('"', '\\"')
}
