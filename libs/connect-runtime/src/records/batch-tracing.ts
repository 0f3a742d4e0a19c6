import { type Span, SpanKind, trace } from '@opentelemetry/api'

/**
 * One span a batch, from conversion to acknowledgement; its context goes into the headers of records that bring none.
 * Costs nothing while no SDK records spans.
 */
export class BatchTracing {
  readonly #attributes: Readonly<Record<string, string | number>>
  readonly #tracer = trace.getTracer('tributary')
  #spans: Span[] = []

  constructor(attributes: Readonly<Record<string, string | number>>) {
    this.#attributes = attributes
  }

  /** The W3C `traceparent` of the batch's span, null when nothing is recorded. */
  batchStarted(recordCount: number): string | null {
    const span = this.#tracer.startSpan('source.batch', {
      kind: SpanKind.PRODUCER,
      attributes: { ...this.#attributes, 'messaging.batch.message_count': recordCount },
    })
    if (!span.isRecording()) return null
    this.#spans.push(span)
    const { traceId, spanId, traceFlags } = span.spanContext()
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
  }

  batchEnded(): void {
    this.#spans.shift()?.end()
  }
}
