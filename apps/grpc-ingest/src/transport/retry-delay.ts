import type { IncomingHttpHeaders } from 'node:http2'
import { retryAfterMs } from '@tributary/push-source'
import { statusDetails } from './status-details.ts'

/**
 * The ms that a server asks its client to wait before the next try; undefined when it does not say. `grpc-retry-pushback-ms` (gRFC A6)
 * precedes google.rpc.RetryInfo in `grpc-status-details-bin` (google/rpc/error_details.proto), which precedes the `Retry-After` of a
 * proxy (RFC 9110). A negative pushback means "do not retry" to a client that retries calls; a stream that ended is a new call, so
 * the negative pushback is no wish.
 */
export function retryDelayMs(trailers: IncomingHttpHeaders): number | undefined {
  const pushback = trailers['grpc-retry-pushback-ms']
  if (typeof pushback === 'string' && /^\d{1,10}$/.test(pushback)) return Number(pushback)
  return statusDetails(trailers).retryAfterMs ?? retryAfterMs(trailers['retry-after'], Date.now())
}
