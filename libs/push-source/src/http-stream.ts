import type { IncomingMessage } from 'node:http'
import https from 'node:https'
import type { SecureContextOptions } from 'node:tls'
import { allowedAddress, ConfigError } from '@tributary/connect-api'
import { pushSourceErrors } from './errors.ts'
import { Redirects } from './redirects.ts'
import { withoutClientCertificate } from './settings/tls.ts'

// As in libs/service/src/admin-server.ts: an import would load undici.
const http = process.getBuiltinModule('node:http')

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]
/** Silence in ms after which TCP asks whether the server is still there. A stream may be silent for hours, and a dead one too. */
const KEEP_ALIVE_MS = 30_000

export interface HttpStreamRequest {
  /** http:// or https:// */
  readonly url: string
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Headers for every host. `headers`, which may hold credentials, go to the host of `url` only. */
  readonly publicHeaders: Readonly<Record<string, string>>
  /** The client's certificate and key go to the host of `url` only. */
  readonly tls: SecureContextOptions
  /** The wait in ms that the server asked for in case that no connection can be made. */
  readonly retryAfterMs?: number | undefined
}

export interface HttpStream {
  readonly response: IncomingMessage
  /** `host:port` of the server that answered, after all redirects. */
  readonly host: string
  /** Why the last redirect was not followed: a circle, or too many; null otherwise. */
  readonly refusedRedirect: string | null
}

/**
 * Opens a stream over HTTP by GET, and follows up to 5 redirects. Resolves with the response, whatever its status, as soon as its
 * headers have arrived. Each call opens a new connection with TCP keep-alive. Throws NotConnectedError, ConfigError for a server that the
 * worker denies, or the signal's reason.
 */
export async function openHttpStream(request: HttpStreamRequest, signal: AbortSignal): Promise<HttpStream> {
  const first = new URL(request.url)
  const { publicHeaders, tls } = request
  const own = { ...tls, headers: { ...publicHeaders, ...request.headers } }
  const foreign = { ...withoutClientCertificate(tls), headers: publicHeaders }
  const redirects = new Redirects(first)
  let url = first
  for (;;) {
    const options = {
      ...(url.host === first.host ? own : foreign),
      ...allowedAddress(url.hostname),
      agent: false,
      signal,
    }
    const response = await get(url, options, request.retryAfterMs)
    const location = REDIRECTS.includes(response.statusCode ?? 0) ? response.headers.location : undefined
    const next = location === undefined ? null : URL.parse(location, url.href)
    // A redirect from https to http would send the request unencrypted.
    const followed = next !== null && (next.protocol === 'https:' || next.protocol === url.protocol)
    const refusedRedirect = followed ? redirects.refusal(next) : null
    if (!followed || refusedRedirect !== null) return { response, host: url.host, refusedRedirect }
    response.destroy()
    url = next
  }
}

function get(url: URL, options: https.RequestOptions, retryAfterMs?: number): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const request = (url.protocol === 'https:' ? https : http).get(url, options, resolve)
  request.setSocketKeepAlive(true, KEEP_ALIVE_MS)
  request.on('error', (cause) => {
    if (options.signal?.aborted) reject(options.signal.reason as Error)
    else if (cause instanceof ConfigError) reject(cause)
    else reject(pushSourceErrors.HTTP_CONNECT(`${url.host}: ${cause.message}`, { cause, retryAfterMs }))
  })
  return promise
}
