import type { Header, HeaderConverter } from '@tributary/connect-api'
import type { RecordHeaders } from '@tributary/kafka-producer'

/** `traceparent` is added unless it is null or the record has one. */
export function encodeHeaders(
  converter: HeaderConverter,
  topic: string,
  headers: readonly Header[] | undefined,
  traceparent: string | null,
): RecordHeaders | undefined {
  if (headers === undefined && traceparent === null) return undefined
  const out: (readonly [string, Uint8Array | null])[] = []
  let traced = false
  for (const { name, schema, value } of headers ?? []) {
    if (name === 'traceparent') traced = true
    out.push([name, converter.fromConnectHeader(topic, name, schema ?? null, value)])
  }
  if (traceparent !== null && !traced) out.push(['traceparent', Buffer.from(traceparent)])
  return out
}
