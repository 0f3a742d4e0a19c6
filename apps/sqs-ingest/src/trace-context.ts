import type { Header } from '@tributary/connect-api'
import type { SqsMessage } from './message.ts'

/** W3C Trace Context, 3.2: version, trace id, parent id, flags. Later versions may have more behind them. */
const TRACEPARENT = /^(?!ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:$|-)/
/** `Root=1-<time>-<id>` of the trace header of AWS X-Ray. */
const ROOT = /^1-([\da-f]{8})-([\da-f]{24})$/i
const PARENT = /^[\da-f]{16}$/i

/**
 * The headers that make the record part of its message's trace: those of the attributes `traceparent` and `tracestate`, or else what
 * the system attribute AWSTraceHeader says. [] when the message has no trace: the record then gets that of its batch.
 */
export function traceHeaders({ system, attributes }: Pick<SqsMessage, 'system' | 'attributes'>): Header[] {
  const own = attributes['traceparent']?.stringValue?.trim()
  if (own !== undefined && TRACEPARENT.test(own)) {
    const state = attributes['tracestate']?.stringValue
    return [{ name: 'traceparent', value: own }, ...(state === undefined ? [] : [{ name: 'tracestate', value: state }])]
  }
  const header = system['AWSTraceHeader']
  const value = header === undefined ? null : traceparentOf(header)
  return value === null ? [] : [{ name: 'traceparent', value }]
}

/** `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`. Null without a parent, which W3C's form needs. */
export function traceparentOf(xray: string): string | null {
  const parts = new Map(xray.split(';').map((part) => part.trim().split('=', 2) as [string, string | undefined]))
  const [, time, id] = ROOT.exec(parts.get('Root') ?? '') ?? []
  const parent = parts.get('Parent') ?? ''
  if (time === undefined || id === undefined || !PARENT.test(parent)) return null
  const value = `00-${time}${id}-${parent}-${parts.get('Sampled') === '1' ? '01' : '00'}`.toLowerCase()
  return TRACEPARENT.test(value) ? value : null
}
