import type { ConnectError, Props } from '@tributary/connect-api'
import { HandshakeRefused, readTls, RenewedTls, type TlsOptions } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import { tls, type WebSocketConfig } from '../config/config.ts'
import type { ConnectionListener, WebSocketConnection } from '../transport/connection.ts'
import type { OpenWebSocket } from '../transport/open-websocket.ts'
import type { Denials } from './denials.ts'
import { HandshakeTemplate } from './handshake.ts'
import type { ValueOf } from './template-values.ts'

export interface DialerOptions {
  readonly config: WebSocketConfig
  readonly denials: Denials
  readonly handshake: HandshakeTemplate
  readonly tls: RenewedTls<TlsOptions>
  readonly open: OpenWebSocket
  readonly log: Logger
}

/** Opens the connections of a feed as its configuration says. */
export class Dialer {
  readonly #options: DialerOptions

  constructor(options: DialerOptions) {
    this.#options = options
  }

  /**
   * Opens a connection; `valueOf` fills in the templates of the handshake. Rejects with NotConnectedError, with
   * ConfigError if a retry cannot help, or with the signal's reason.
   */
  async open(valueOf: ValueOf, listener: ConnectionListener, signal: AbortSignal): Promise<WebSocketConnection> {
    const { config, denials, handshake, tls, open, log } = this.#options
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
      denials.opened()
      return connection
    } catch (error) {
      signal.throwIfAborted()
      const { cause } = error as ConnectError
      if (cause instanceof HandshakeRefused) log.debug('handshake_refused', { status: cause.status, body: cause.body })
      throw denials.handshakeFailed(error as ConnectError)
    }
  }
}

/** Creates the dialer of a feed from its configuration and TLS files, without network access. Throws ConfigError. */
export async function createDialer(
  config: WebSocketConfig,
  props: Props,
  open: OpenWebSocket,
  denials: Denials,
  log: Logger,
): Promise<Dialer> {
  const handshake = new HandshakeTemplate(config, props)
  const options = new RenewedTls(() => readWebSocketTls(config), log)
  await options.options()
  return new Dialer({ config, denials, handshake, tls: options, open, log })
}

/** Reads and checks the TLS files. Throws ConfigError on the invalid key. */
export async function readWebSocketTls(config: WebSocketConfig): Promise<TlsOptions> {
  const servername = config['websocket.tls.server.name']
  return { ...(await readTls(tls.settings(config))), ...(servername ? { servername } : {}) }
}
