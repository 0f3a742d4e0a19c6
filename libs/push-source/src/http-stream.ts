import http from 'node:http'
import https from 'node:https'
import type { SecureContextOptions } from 'node:tls'
import { pushSourceErrors } from './errors.ts'

const REDIRECTS_MAX = 5
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]

export interface HttpStreamRequest {
  /** http:// or https:// */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Headers for every host. `headers`, which may hold credentials, go to the host of `url` only. */
  readonly publicHeaders: Readonly<Record<string, string>>
  readonly tls: SecureContextOptions
}

/**
 * Opens a stream over HTTP by GET, and follows up to 5 redirects. Resolves with the response, whatever its status, as soon as its
 * headers have arrived. Each call opens a new connection. Throws NotConnectedError, or the signal's reason.
 */
export async function openHttpStream(
  { url: address, headers, publicHeaders, tls }: HttpStreamRequest,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const first = new URL(address)
  let url = first
  for (let redirects = 0; ; redirects++) {
    const own = url.host === first.host ? headers : {}
    const response = await get(url, { headers: { ...publicHeaders, ...own }, agent: false, signal, ...tls })
    const location = REDIRECTS.includes(response.statusCode ?? 0) ? response.headers.location : undefined
    const next = location === undefined ? null : URL.parse(location, url.href)
    // A redirect from https to http would send the request unencrypted.
    const followed = next !== null && (next.protocol === 'https:' || next.protocol === url.protocol)
    if (!followed || redirects === REDIRECTS_MAX) return response
    response.destroy()
    url = next
  }
}

function get(url: URL, options: https.RequestOptions): Promise<http.IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>()
  const request = (url.protocol === 'https:' ? https : http).get(url, options, resolve)
  request.on('error', (cause) => {
    if (options.signal?.aborted) reject(options.signal.reason as Error)
    else reject(pushSourceErrors.HTTP_CONNECT(`${url.host}: ${cause.message}`, { cause }))
  })
  return promise
}
