import type { IncomingMessage } from 'node:http'
import { preview } from '../preview.ts'
import { retryAfterMs } from '../retry-after.ts'

// As in libs/service/src/admin-server.ts: an import would load undici.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

const SHOWN_LENGTH = 200

/** A response other than success, which is 101 from the server and 200 from the proxy. */
export class HandshakeRefused extends Error {
  override readonly name = 'HandshakeRefused'
  readonly status: number
  /** Location header; null if absent. */
  readonly location: string | null
  /** ms that the Retry-After header asks to wait; undefined if absent. */
  readonly retryAfterMs: number | undefined
  /** No error shows it: the body may be a secret of a server that a connector should not have asked. */
  readonly #body: string

  /** `who` begins the text; `body` is the body of the response, or its beginning. */
  constructor(who: string, { statusCode, headers }: IncomingMessage, body: string) {
    const status = statusCode ?? 0
    // The server's own words for the status may be anything, as its body may.
    super(`${who} answered the handshake with ${[status, STATUS_CODES[status]].join(' ').trim()}`)
    this.#body = body
    this.status = status
    this.location = headers.location ?? null
    this.retryAfterMs = retryAfterMs(headers['retry-after'], Date.now())
  }

  /** The body, on one line, for the log at debug; '' for none. Secrets in it are masked. */
  get body(): string {
    return preview(this.#body.replaceAll(/\s+/g, ' ').trim(), SHOWN_LENGTH)
  }

  /** This error with `reason` before its text. */
  after(reason: string): this {
    this.message = `${reason}; the last: ${this.message}`
    return this
  }
}
