import type { Env } from '@tributary/config'

const ENDPOINTS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']

/**
 * Sends traces by OTLP when one of the standard `OTEL_*` variables names an endpoint. Without an endpoint the SDK is
 * not loaded, because it takes a good part of the start's time and memory. Returns a function that flushes.
 */
export async function startTracing(
  service: { readonly name: string; readonly version: string },
  env: Env,
): Promise<() => Promise<void>> {
  if (!ENDPOINTS.some((name) => env[name])) return () => Promise.resolve()
  const [{ NodeSDK }, { defaultResource, resourceFromAttributes }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/resources'),
  ])
  const sdk = new NodeSDK({
    serviceName: env['OTEL_SERVICE_NAME'] || service.name,
    resource: defaultResource().merge(resourceFromAttributes({ 'service.version': service.version })),
    // Metrics are scraped and logs go to standard output. If these options were unset, the SDK would create OTLP
    // exporters for both.
    metricReaders: [],
    logRecordProcessors: [],
  })
  sdk.start()
  return () => sdk.shutdown()
}
