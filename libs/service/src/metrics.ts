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

/**
 * The number of series of one instrument, above which the SDK merges series. The SDK's own limit of 2000 is below the
 * number of tasks that a worker may have.
 */
const CARDINALITY_LIMIT = 50_000
/** In seconds. The SDK's default buckets are meant for milliseconds. */
const SECONDS_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

export interface Metrics {
  /** All metrics in Prometheus's text format. */
  scrape(): Promise<string>
  shutdown(): Promise<void>
}

/** Content type of Prometheus's text format. */
export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/**
 * Starts the SDK, so that the process's instruments record and a scrape reads them. Names and labels are exported
 * unchanged, without prefix, scope labels or target labels, because documented alert expressions name them exactly.
 * (`_total` is added to counters only.)
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
      // With cumulative temporality a gauge would keep the series of a removed connector for ever, and an alert on it
      // would never end.
      aggregationTemporalitySelector: (type) =>
        type === InstrumentType.OBSERVABLE_GAUGE ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
      cardinalitySelector: () => CARDINALITY_LIMIT,
    })
  }
  protected override async onForceFlush(): Promise<void> {
    // Nothing to flush: a scrape collects on request.
  }
  protected override async onShutdown(): Promise<void> {
    // Nothing to release: the admin server belongs to the service.
  }
}
