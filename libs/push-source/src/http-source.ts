import type { IncomingMessage } from 'node:http'
import type { SecureContextOptions } from 'node:tls'
import { pushSourceErrors } from './errors.ts'
import { type HttpStream, openHttpStream } from './http-stream.ts'
import { Refusals } from './refusals.ts'
import { retryAfterMs } from './retry-after.ts'

const FIXED = { 'accept-encoding': 'identity', 'cache-control': 'no-store' }
const CREDENTIALS_REFUSED: readonly number[] = [401, 403, 407]

/** Headers that HttpSource sets itself, for `own` of `requestSettings`. */
export const HTTP_SOURCE_HEADERS: readonly string[] = ['accept', ...Object.keys(FIXED)]

export interface HttpSourceOptions {
  /** http:// or https:// */
  readonly url: string
  /** Media type of the stream, in lower case. A response of another type is refused. */
  readonly accept: string
  /** From `requestSettings`, so credentials may be among them: for the host of `url` only. */
  readonly headers: Readonly<Record<string, string>>
  /** Errors name the settings `<prefix>.url` and `<prefix>.auth.token`. */
  readonly prefix: string
}

/** A source of streams over HTTP: opens one after the other, and judges what the server answers. */
export class HttpSource {
  /** The least wait in ms before each try, as the server has asked; for `NotConnectedError.retryAfterMs`. */
  retryMs = 0
  readonly #options: HttpSourceOptions
  /** A stream ends with no status, so a refusal never ends one. */
  readonly #refusals = new Refusals(0)

  constructor(options: HttpSourceOptions) {
    this.#options = options
  }

  /**
   * Opens a stream. `headers`: further headers, for every host that redirects lead to. Throws HTTP_CONNECT and HTTP_STATUS, after
   * which the task connects again, HTTP_NO_CONTENT and HTTP_DENIED, after which it does not, and the signal's reason.
   */
  async open(headers: object, tls: SecureContextOptions, signal: AbortSignal): Promise<IncomingMessage> {
    const { accept, url, headers: own } = this.#options
    const publicHeaders = { accept, ...FIXED, ...headers }
    const request = { url, headers: own, publicHeaders, tls, retryAfterMs: this.retryMs }
    const stream = await openHttpStream(request, signal).catch((error: unknown) => {
      this.#refusals.accepted()
      throw error
    })
    return this.#accepted(stream)
  }

  #accepted({ response, host, refusedRedirect }: HttpStream): IncomingMessage {
    const { accept, prefix } = this.#options
    const { statusCode = 0, headers } = response
    const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers
    const denied = CREDENTIALS_REFUSED.includes(statusCode)
    if (!denied) this.#refusals.accepted()
    const plain = encoding.toLowerCase() === 'identity'
    if (statusCode === 200 && plain && type.split(';')[0]?.trim().toLowerCase() === accept) return response
    response.destroy()
    const coded = plain ? '' : `, content-encoding ${encoding}`
    const redirected = refusedRedirect === null ? '' : `: ${refusedRedirect}`
    const said = `${host} answered ${statusCode}${type && ` ${type}`}${coded}${redirected}`
    if (statusCode === 204) {
      throw pushSourceErrors.HTTP_NO_CONTENT(`${said}, which asks clients to stop`, { field: `${prefix}.url` })
    }
    if (denied && this.#refusals.refused()) {
      throw pushSourceErrors.HTTP_DENIED(`${said}, the third time in a row`, { field: `${prefix}.auth.token` })
    }
    const asked = retryAfterMs(headers['retry-after'], Date.now()) ?? 0
    throw pushSourceErrors.HTTP_STATUS(said, { retryAfterMs: Math.max(asked, this.retryMs) })
  }
}
