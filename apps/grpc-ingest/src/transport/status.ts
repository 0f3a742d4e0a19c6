import { constants, type IncomingHttpHeaders } from 'node:http2'

/** The status codes of gRPC (grpc.github.io, "Status codes and their use in gRPC"), by number. */
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
  /** The server's words, or ours when the transport made the status. */
  readonly message: string
  /** False: the server said so in its trailers. */
  readonly local: boolean
  /** Ours: a message over the limit. Trying again cannot help. */
  readonly tooLarge?: boolean
}

export function localStatus(status: StatusName, message: string): GrpcStatus {
  return { status, message, local: true }
}

/** The status in trailers, or in the headers of a "trailers only" answer; null when there is none. */
export function statusOfTrailers(trailers: IncomingHttpHeaders): GrpcStatus | null {
  const code = trailers['grpc-status']
  if (code === undefined) return null
  const message = trailers['grpc-message']
  return {
    status: STATUS_NAMES[Number(code)] ?? 'UNKNOWN',
    message: percentDecoded(typeof message === 'string' ? message : ''),
    local: false,
  }
}

/** For an answer that is no gRPC: the table of grpc's "HTTP to gRPC status code mapping". */
export function statusOfHttp(httpStatus: number): GrpcStatus {
  const message = `the answer is HTTP status ${httpStatus}, not gRPC`
  switch (httpStatus) {
    case 400:
      return localStatus('INTERNAL', message)
    case 401:
      return localStatus('UNAUTHENTICATED', message)
    case 403:
      return localStatus('PERMISSION_DENIED', message)
    case 404:
      return localStatus('UNIMPLEMENTED', message)
    case 429:
    case 502:
    case 503:
    case 504:
      return localStatus('UNAVAILABLE', message)
    default:
      return localStatus('UNKNOWN', message)
  }
}

/** For a stream that ended without trailers: the table of grpc's "PROTOCOL-HTTP2", section Errors. */
export function statusOfReset(rstCode: number, reason: string): GrpcStatus {
  switch (rstCode) {
    case constants.NGHTTP2_REFUSED_STREAM:
      return localStatus('UNAVAILABLE', `the server refused the stream${reason}`)
    case constants.NGHTTP2_ENHANCE_YOUR_CALM:
      return localStatus('RESOURCE_EXHAUSTED', `the server asks to slow down (ENHANCE_YOUR_CALM)${reason}`)
    case constants.NGHTTP2_INADEQUATE_SECURITY:
      return localStatus('PERMISSION_DENIED', `the server finds the connection not secure enough${reason}`)
    // Node makes a CANCEL of its own when the connection drops, so an outage is likelier than a server that cancels.
    case constants.NGHTTP2_CANCEL:
      return localStatus('UNAVAILABLE', `the connection was dropped${reason}`)
    case constants.NGHTTP2_NO_ERROR:
      return localStatus('UNAVAILABLE', `the stream ended without a status${reason}`)
    default:
      return localStatus('INTERNAL', `the stream was reset with HTTP/2 code ${rstCode}${reason}`)
  }
}

/** `grpc-message` is percent-encoded UTF-8; a malformed one is shown as it is. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
