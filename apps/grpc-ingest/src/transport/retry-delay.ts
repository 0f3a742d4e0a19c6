import type { IncomingHttpHeaders } from 'node:http2'
import { retryAfterMs } from '@tributary/push-source'
import { LEN, VARINT, WireReader } from '../schema/wire/wire.ts'

const RETRY_INFO = 'type.googleapis.com/google.rpc.RetryInfo'

/** The fields of a message by number: every length-delimited value, and the last varint. */
interface Fields {
  readonly chunks: ReadonlyMap<number, readonly Uint8Array[]>
  readonly varints: ReadonlyMap<number, bigint>
}

/**
 * The ms that a server asks its client to wait before the next try; undefined when it does not say. `grpc-retry-pushback-ms` (gRFC A6)
 * precedes google.rpc.RetryInfo in `grpc-status-details-bin` (google/rpc/error_details.proto), which precedes the `Retry-After` of a
 * proxy (RFC 9110). A negative pushback means "do not retry" to a client that retries calls; a stream that ended is a new call, so
 * the negative pushback is no wish.
 */
export function retryDelayMs(trailers: IncomingHttpHeaders): number | undefined {
  const pushback = trailers['grpc-retry-pushback-ms']
  if (typeof pushback === 'string' && /^\d{1,10}$/.test(pushback)) return Number(pushback)
  return retryInfoMs(trailers['grpc-status-details-bin']) ?? retryAfterMs(trailers['retry-after'], Date.now())
}

function retryInfoMs(details: string | string[] | undefined): number | undefined {
  if (typeof details !== 'string') return undefined
  try {
    return delayOf(Buffer.from(details, 'base64'))
  } catch {
    // Details are an extra: malformed ones do not change how the call ended.
    return undefined
  }
}

/** Of a google.rpc.Status: `details` (3) has an Any (`type_url` 1, `value` 2) with a RetryInfo (`retry_delay` 1, a Duration). */
function delayOf(status: Uint8Array): number | undefined {
  for (const bytes of fieldsOf(status).chunks.get(3) ?? []) {
    const { chunks } = fieldsOf(bytes)
    const type = chunks.get(1)?.at(-1)
    if (type === undefined || Buffer.from(type).toString() !== RETRY_INFO) continue
    const delay = fieldsOf(chunks.get(2)?.at(-1) ?? new Uint8Array())
      .chunks.get(1)
      ?.at(-1)
    if (delay === undefined) continue
    const { varints } = fieldsOf(delay)
    const seconds = Number(BigInt.asIntN(64, varints.get(1) ?? 0n))
    const nanos = Number(BigInt.asIntN(32, varints.get(2) ?? 0n))
    const ms = seconds * 1000 + Math.ceil(nanos / 1e6)
    if (ms > 0) return ms
  }
  return undefined
}

function fieldsOf(bytes: Uint8Array): Fields {
  const chunks = new Map<number, Uint8Array[]>()
  const varints = new Map<number, bigint>()
  const reader = new WireReader(bytes)
  while (reader.more) {
    const tag = reader.tag()
    const number = tag >>> 3
    if ((tag & 7) === VARINT) varints.set(number, reader.uint64())
    else if ((tag & 7) === LEN) chunks.set(number, [...(chunks.get(number) ?? []), reader.view()])
    else reader.skip(tag)
  }
  return { chunks, varints }
}
