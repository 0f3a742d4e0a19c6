import { MAX_TIMER_MS } from '@tributary/async'
import { shownUrl } from '../settings.ts'
import { connectError } from './connect-error.ts'
import type { ConnectionListener, WebSocketConnection } from './connection.ts'
import { dial } from './dial.ts'
import { endpointOf, type TlsOptions } from './sockets.ts'
import { HandshakeRefused } from './handshake-refused.ts'
import { upgrade } from './upgrade.ts'

const MAX_REDIRECTS = 5

export interface OpenOptions {
  /** `ws://` or `wss://`, without user and fragment. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** Offered, the preferred one first. */
  readonly subprotocols: readonly string[]
  /** Offered only to the server that was configured, as headers are. */
  readonly subprotocolsMayBeSecret?: boolean
  readonly tls: TlsOptions
  /** `http://` or `https://`; null: straight to the server. */
  readonly proxyUrl: string | null
  /** Is permessage-deflate offered? */
  readonly compression: boolean
  readonly followRedirects: boolean
  readonly utf8Validation: boolean
  readonly maxMessageBytes: number
  /** ms for everything up to the handshake's answer; 0: no limit. */
  readonly timeoutMs: number
}

export type OpenWebSocket = (
  options: OpenOptions,
  listener: ConnectionListener,
  signal: AbortSignal,
) => Promise<WebSocketConnection>

/**
 * Connects. No message comes before the caller's code behind the `await` has run up to its own next wait. Rejects with
 * NotConnectedError, ConfigError for what no second try heals, or the signal's reason.
 */
export const openWebSocket: OpenWebSocket = async (options, listener, signal) => {
  signal.throwIfAborted()
  const { timeoutMs } = options
  const late = new AbortController()
  const timer =
    timeoutMs > 0
      ? setTimeout(
          () => late.abort(new Error(`no connection within ${timeoutMs} ms`)),
          Math.min(timeoutMs, MAX_TIMER_MS),
        )
      : undefined
  try {
    return await openOrFollow(options, listener, AbortSignal.any([signal, late.signal]))
  } catch (error) {
    signal.throwIfAborted()
    throw connectError(shownUrl(options.url), error)
  } finally {
    clearTimeout(timer)
  }
}

async function openOrFollow(
  options: OpenOptions,
  listener: ConnectionListener,
  signal: AbortSignal,
): Promise<WebSocketConnection> {
  let { headers, subprotocols } = options
  let url = new URL(options.url)
  for (let redirects = 0; ; redirects++) {
    try {
      return await openOnce({ ...options, headers, subprotocols }, url, listener, signal)
    } catch (error) {
      if (!options.followRedirects || redirects === MAX_REDIRECTS) throw error
      const next = redirected(url, error)
      if (next === null) throw error
      // They may be secrets, and are meant for the server that was configured.
      if (next.host !== url.host) {
        headers = {}
        if (options.subprotocolsMayBeSecret) subprotocols = []
      }
      url = next
    }
  }
}

async function openOnce(
  options: OpenOptions,
  url: URL,
  listener: ConnectionListener,
  signal: AbortSignal,
): Promise<WebSocketConnection> {
  const proxy = options.proxyUrl === null ? null : { url: new URL(options.proxyUrl) }
  const tcp = await dial(endpointOf(url), { tls: options.tls, proxy }, signal)
  return upgrade({ ...options, url, shownUrl: shownUrl(url.href) }, tcp, listener, signal)
}

/** Where a refusal sends us; null: nowhere. From TLS to plain text is not a way. */
function redirected(from: URL, error: unknown): URL | null {
  if (!(error instanceof HandshakeRefused) || error.location === null) return null
  if (error.status < 300 || error.status > 399) return null
  const to = URL.parse(error.location, from.href)
  if (to === null || !/^(?:ws|http)s?:$/.test(to.protocol)) return null
  to.protocol = to.protocol.replace('http', 'ws')
  to.hash = ''
  return from.protocol === 'wss:' && to.protocol !== 'wss:' ? null : to
}
