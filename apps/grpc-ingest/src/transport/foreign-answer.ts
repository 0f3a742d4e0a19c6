import type { IncomingHttpHeaders, IncomingHttpStatusHeader } from 'node:http2'
import { preview } from '@tributary/push-source'
import { retryDelayMs } from './retry-delay.ts'
import { type GrpcStatus, localStatus, statusOfHttp } from './status.ts'

/** Bytes of the body that are read, and characters that are shown. */
const READ_BYTES = 2048
const SHOWN_LENGTH = 200

/** An answer that did not come from a gRPC server: a proxy's, as a rule. The log has the proxy's words at debug. */
export class ForeignAnswer {
  readonly #headers: IncomingHttpHeaders & IncomingHttpStatusHeader
  readonly #chunks: Buffer[] = []
  #bytes = 0

  constructor(headers: IncomingHttpHeaders & IncomingHttpStatusHeader) {
    this.#headers = headers
  }

  /** Whether an answer with these headers is not gRPC (PROTOCOL-HTTP2, "Responses"). */
  static is({ ':status': status = 200, ...headers }: IncomingHttpHeaders & IncomingHttpStatusHeader): boolean {
    return status !== 200 || !(headers['content-type'] ?? '').startsWith('application/grpc')
  }

  /** Takes bytes of the body. Returns true when no more are needed. */
  add(chunk: Buffer): boolean {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    return this.#bytes >= READ_BYTES
  }

  status(): GrpcStatus {
    const { ':status': httpStatus = 200, 'content-type': contentType = '' } = this.#headers
    const status =
      httpStatus === 200
        ? localStatus('UNKNOWN', `the answer's content-type is '${contentType}', not application/grpc`)
        : localStatus(statusOfHttp(httpStatus), `the answer is HTTP status ${httpStatus}, not gRPC`)
    const retryAfterMs = retryDelayMs(this.#headers)
    return { ...status, body: this.#words(), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  }

  /** The text of the body, on one line, without the tags of HTML. */
  #words(): string {
    if (this.#headers['content-encoding'] !== undefined) return ''
    const text = Buffer.concat(this.#chunks).toString()
    const line = text.replaceAll(/<[^>]*>/g, ' ').replaceAll(/[\s\p{Cc}\uFFFD]+/gu, ' ')
    return preview(line.trim(), SHOWN_LENGTH)
  }
}
