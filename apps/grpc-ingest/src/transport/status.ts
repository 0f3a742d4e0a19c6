import { constants, type IncomingHttpHeaders } from 'node:http2'
import { redact } from '@tributary/telemetry'
import { retryDelayMs } from './retry-delay.ts'
import { statusDetails } from './status-details.ts'

/** The status codes of gRPC, by number (grpc.github.io, "Status codes and their use in gRPC"). */
export const STATUS_NAMES = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const

export type StatusName = (typeof STATUS_NAMES)[number]

/** How a call ended. */
export interface GrpcStatus {
  readonly status: StatusName
  /**
   * The message of the server, or of the transport when it made the status. Without secrets that the server repeats: the process
   * forgets an access token before it has told of the status.
   */
  readonly message: string
  /** False: a gRPC server sent the status in its trailers. True: the transport made it, also of a proxy's answer. */
  readonly local: boolean
  /** Set by this client: a message is over the limit, and another try cannot help. */
  readonly tooLarge?: boolean
  /** Body of an answer that is not gRPC, for the log at debug: no error shows it, since it may be a secret of another server. */
  readonly body?: string
  /** ms that the server asks to wait before the next try. */
  readonly retryAfterMs?: number
}

export function localStatus(status: StatusName, message: string): GrpcStatus {
  return { status, message: redact(message), local: true }
}

/** The status in trailers, or in the headers of a "Trailers-Only" response; null when there is none. */
export function statusOfTrailers(trailers: IncomingHttpHeaders): GrpcStatus | null {
  const code = trailers['grpc-status']
  if (code === undefined) return null
  const message = trailers['grpc-message']
  const words = percentDecoded(typeof message === 'string' ? message : '')
  const details = statusDetails(trailers).text
  const retryAfterMs = retryDelayMs(trailers)
  return {
    status: STATUS_NAMES[Number(code)] ?? 'UNKNOWN',
    message: redact(details === '' ? words : `${words} (${details})`.trimStart()),
    local: false,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  }
}

/** The status for a response that is not gRPC, by grpc's "HTTP to gRPC status code mapping". */
export function statusOfHttp(httpStatus: number): StatusName {
  switch (httpStatus) {
    case 400:
      return 'INTERNAL'
    case 401:
      return 'UNAUTHENTICATED'
    case 403:
      return 'PERMISSION_DENIED'
    case 404:
      return 'UNIMPLEMENTED'
    case 429:
    case 502:
    case 503:
    case 504:
      return 'UNAVAILABLE'
    default:
      return 'UNKNOWN'
  }
}

/**
 * The status for a stream that the server reset, or ended without trailers, on a connection that still exists, by section "Errors"
 * of grpc's PROTOCOL-HTTP2. `where`: more words on the place of the end.
 */
export function statusOfReset(rstCode: number, where: string): GrpcStatus {
  switch (rstCode) {
    case constants.NGHTTP2_REFUSED_STREAM:
      return localStatus('UNAVAILABLE', `the server refused the stream${where}`)
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return localStatus('RESOURCE_EXHAUSTED', `the server asks to slow down (ENHANCE_YOUR_CALM)${where}`)
    case constants.NGHTTP2_INADEQUATE_SECURITY:
      return localStatus('PERMISSION_DENIED', `the server finds the connection not secure enough${where}`)
    case constants.NGHTTP2_CANCEL:
      return localStatus('CANCELLED', `the server cancelled the stream (RST_STREAM with CANCEL)${where}`)
    case constants.NGHTTP2_NO_ERROR:
      return localStatus('UNAVAILABLE', `the stream ended without a status${where}`)
    default:
      return localStatus('INTERNAL', `the server reset the stream with HTTP/2 code ${rstCode}${where}`)
  }
}

/** Decodes `grpc-message`, which is percent-encoded UTF-8. What is malformed stays as it is (PROTOCOL-HTTP2). */
function percentDecoded(text: string): string {
  return text.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString())
}
