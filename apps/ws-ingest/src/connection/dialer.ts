import type { ConnectError, Props } from '@tributary/connect-api'
import { readTls, Refusals, RenewedTls } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import { shownUrl, tls, type WebSocketConfig } from '../config/config.ts'
import type { ConnectionListener, WebSocketConnection } from '../transport/connection.ts'
import type { TlsOptions } from '../transport/dial.ts'
import { HandshakeRefused } from '../transport/errors.ts'
import type { OpenWebSocket } from '../transport/open-websocket.ts'
import { HandshakeTemplate } from './handshake.ts'
import type { ValueOf } from './template-values.ts'
import { wsErrors } from '../errors.ts'

const DENIED: readonly number[] = [401, 403, 407]

export interface DialerOptions {
  readonly config: WebSocketConfig
  readonly handshake: HandshakeTemplate
  readonly tls: RenewedTls<TlsOptions>
  readonly open: OpenWebSocket
}

/** Opens the connections of a feed as its configuration says. */
export class Dialer {
  readonly #options: DialerOptions
  readonly #refusals = new Refusals()

  constructor(options: DialerOptions) {
    this.#options = options
  }

  /**
   * Opens a connection; `valueOf` fills in the templates of the handshake. Rejects with NotConnectedError, with
   * ConfigError if a retry cannot help, or with the signal's reason.
   */
  async open(valueOf: ValueOf, listener: ConnectionListener, signal: AbortSignal): Promise<WebSocketConnection> {
    const { config, handshake, tls, open } = this.#options
    const request = handshake.request(valueOf)
    const options = await tls.options()
    try {
      const connection = await open(
        {
          ...request,
          tls: options,
          proxyUrl: config['websocket.proxy.url'],
          compression: config['websocket.compression.enabled'],
          followRedirects: config['websocket.handshake.follow.redirects'],
          utf8Validation: config['websocket.utf8.validation'],
          maxMessageBytes: config['websocket.max.message.bytes'],
          timeoutMs: config['websocket.connection.timeout.ms'],
        },
        listener,
        signal,
      )
      this.#refusals.accepted()
      return connection
    } catch (error) {
      signal.throwIfAborted()
      throw this.#classified(error as ConnectError)
    }
  }

  /** `error`, or a ConfigError once credentials are refused too often in a row. */
  #classified(error: ConnectError): ConnectError {
    const { cause } = error
    if (!(cause instanceof HandshakeRefused && DENIED.includes(cause.status))) {
      this.#refusals.accepted()
      return error
    }
    if (!this.#refusals.refused()) return error
    const url = shownUrl(this.#options.config['websocket.url'])
    const text = `The credentials for ${url} were refused ${this.#refusals.inARow} times in a row. ${cause.message}`
    const field = cause.status === 407 ? 'websocket.proxy.url' : 'websocket.headers'
    return wsErrors.WEBSOCKET_DENIED(text, { field, cause })
  }
}

/** Creates the dialer of a feed from its configuration and TLS files, without network access. Throws ConfigError. */
export async function createDialer(
  config: WebSocketConfig,
  props: Props,
  open: OpenWebSocket,
  log: Logger,
): Promise<Dialer> {
  const handshake = new HandshakeTemplate(config, props)
  const options = new RenewedTls(() => readWebSocketTls(config), log)
  await options.options()
  return new Dialer({ config, handshake, tls: options, open })
}

/** Reads and checks the TLS files. Throws ConfigError on the invalid key. */
export async function readWebSocketTls(config: WebSocketConfig): Promise<TlsOptions> {
  const servername = config['websocket.tls.server.name']
  return { ...(await readTls(tls.settings(config))), ...(servername ? { servername } : {}) }
}
