import { type Span, SpanKind, trace } from '@opentelemetry/api'

/**
 * Makes one span per batch, from conversion to acknowledgement. A record without a `traceparent` header gets the span's.
 * Costs nothing while no SDK records spans.
 */
export class BatchTracing {
  readonly #attributes: Readonly<Record<string, string | number>>
  readonly #tracer = trace.getTracer('tributary')
  #spans: Span[] = []

  constructor(attributes: Readonly<Record<string, string | number>>) {
    this.#attributes = attributes
  }

  /** Starts the span of a batch. Returns its W3C `traceparent`; null when the span is not recorded. */
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

  /** Takes back the last `batchStarted`. */
  batchDropped(): void {
    this.#spans.pop()?.end()
  }

  batchEnded(): void {
    this.#spans.shift()?.end()
  }
}
