import { propagation } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import type { Env } from '@tributary/config'

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']

/**
 * Sends traces by OTLP when an endpoint is set, by the standard `OTEL_*` variables. Without one the SDK is not loaded,
 * as that takes a good part of a start's time; trace context is passed on all the same. Answers a function that flushes.
 */
export async function startTracing(
  service: { readonly name: string; readonly version: string },
  env: Env,
): Promise<() => Promise<void>> {
  if (!ENDPOINTS.some((name) => env[name])) {
    propagation.setGlobalPropagator(new W3CTraceContextPropagator())
    return () => Promise.resolve()
  }
  const [{ NodeSDK }, { defaultResource, resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/resources'),
  ])
  const sdk = new NodeSDK({
    serviceName: env['OTEL_SERVICE_NAME'] || service.name,
    resource: defaultResource().merge(resourceFromAttributes({ 'service.version': service.version })),
    // Metrics are scraped and logs go to standard output: unset, the SDK would set up OTLP exporters of both as well.
    metricReaders: [],
    logRecordProcessors: [],
  })
  sdk.start()
  return () => sdk.shutdown()
}
