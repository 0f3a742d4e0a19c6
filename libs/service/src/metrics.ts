import { metrics } from '@opentelemetry/api'
import { PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { resourceFromAttributes } from '@opentelemetry/resources'
import {
  AggregationTemporality,
  AggregationType,
  InstrumentType,
  MeterProvider,
  MetricReader,
} from '@opentelemetry/sdk-metrics'

/** Series of one instrument before further ones fall together; the SDK's 2000 is less than the tasks one worker may have. */
const CARDINALITY_LIMIT = 50_000
/** Seconds. The SDK's default buckets are meant for milliseconds. */
const SECONDS_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

export interface Metrics {
  /** All metrics in Prometheus' text format. */
  scrape(): Promise<string>
  shutdown(): Promise<void>
}

/** Content type of Prometheus' text format. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Makes the process's instruments work, to be read by a scrape. Names and labels are exported as they are: no prefix, no
 * scope or target labels, on which documented alert expressions would stumble (`_total` is added to counters alone).
 */
export function startMetrics(service: { readonly name: string; readonly version: string }): Metrics {
  const reader = new ScrapeReader()
  const provider = new MeterProvider({
    resource: resourceFromAttributes({ 'service.name': service.name, 'service.version': service.version }),
    readers: [reader],
    views: [
      {
        instrumentName: '*_seconds',
        instrumentType: InstrumentType.HISTOGRAM,
        aggregation: { type: AggregationType.EXPLICIT_BUCKET_HISTOGRAM, options: { boundaries: SECONDS_BUCKETS } },
      },
    ],
  })
  metrics.setGlobalMeterProvider(provider)
  const serializer = new PrometheusSerializer('', false, undefined, true, true)
  return {
    async scrape() {
      const { resourceMetrics, errors } = await reader.collect()
      if (errors.length > 0) throw new AggregateError(errors, 'collecting metrics failed')
      return `${serializer.serialize(resourceMetrics).trimEnd()}\n`
    },
    async shutdown() {
      metrics.disable()
      await provider.shutdown()
    },
  }
}

class ScrapeReader extends MetricReader {
  constructor() {
    super({
      // Cumulative, a gauge would keep the series of a removed connector for ever, and an alert on it would never end.
      aggregationTemporalitySelector: (type) =>
        type === InstrumentType.OBSERVABLE_GAUGE ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
      cardinalitySelector: () => CARDINALITY_LIMIT,
    })
  }
  protected override async onForceFlush(): Promise<void> {
    // Nothing is held back: a scrape collects when it is asked.
  }
  protected override async onShutdown(): Promise<void> {
    // Nothing to release: the admin server belongs to the service.
  }
}
