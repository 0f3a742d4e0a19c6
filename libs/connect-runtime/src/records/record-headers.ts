import type { Header, HeaderConverter } from '@tributary/connect-api'
import type { RecordHeaders } from '@tributary/kafka-producer'

/** `traceparent` is added unless it is null or the record has one. `added`: of the value's converter. */
export function encodeHeaders(
  converter: HeaderConverter,
  topic: string,
  headers: readonly Header[] | undefined,
  traceparent: string | null,
  added?: ReadonlyMap<string, string>,
): RecordHeaders | undefined {
  if (headers === undefined && traceparent === null && added === undefined) return undefined
  const out: (readonly [string, Uint8Array | null])[] = []
  let traced = false
  for (const { name, schema, value } of headers ?? []) {
    if (name === 'traceparent') traced = true
    if (added?.has(name) === true) continue
    out.push([name, converter.fromConnectHeader(topic, name, schema ?? null, value)])
  }
  if (added) for (const [name, text] of added) out.push([name, Buffer.from(text)])
  if (traceparent !== null && !traced) out.push(['traceparent', Buffer.from(traceparent)])
  return out
}
