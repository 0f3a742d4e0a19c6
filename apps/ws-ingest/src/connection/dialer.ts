import { ConfigError, type ConnectError, type Props } from '@tributary/connect-api'
import { readTls, type TlsSettings } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import { shownUrl, type WebSocketConfig } from '../config/config.ts'
import type { ConnectionListener, WebSocketConnection } from '../transport/connection.ts'
import type { TlsOptions } from '../transport/dial.ts'
import { HandshakeRefused } from '../transport/errors.ts'
import type { OpenWebSocket } from '../transport/open-websocket.ts'
import { Handshake } from './handshake.ts'
import type { ValueOf } from './template-values.ts'

/** Tries in a row that credentials may be refused: a token that is renewed in the meantime heals it. */
const DENIED_TRIES = 3
const DENIED: readonly number[] = [401, 403, 407]

export interface DialerParts {
  readonly config: WebSocketConfig
  readonly handshake: Handshake
  readonly open: OpenWebSocket
  readonly log: Logger
}

/** Opens a feed's connections, again and again, as its settings say. */
export class Dialer {
  readonly #parts: DialerParts
  /** What was read last; a file that cannot be read in the middle of its renewal does not end the task. */
  #tls: TlsOptions
  #denied = 0

  constructor(parts: DialerParts, tls: TlsOptions) {
    this.#parts = parts
    this.#tls = tls
  }

  /**
   * Connects; `valueOf` fills in the templates of this handshake. Rejects with NotConnectedError, ConfigError for what no
   * second try heals, or the signal's reason.
   */
  async open(valueOf: ValueOf, listener: ConnectionListener, signal: AbortSignal): Promise<WebSocketConnection> {
    const { config, handshake, open } = this.#parts
    const request = handshake.request(valueOf)
    await this.#renewTls()
    try {
      const connection = await open(
        {
          ...request,
          tls: this.#tls,
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
      this.#denied = 0
      return connection
    } catch (error) {
      signal.throwIfAborted()
      throw this.#judged(error as ConnectError)
    }
  }

  /** Counts refused credentials. */
  #judged(error: ConnectError): ConnectError {
    const { cause } = error
    if (!(cause instanceof HandshakeRefused && DENIED.includes(cause.status))) {
      this.#denied = 0
      return error
    }
    this.#denied++
    if (this.#denied < DENIED_TRIES) return error
    const url = shownUrl(this.#parts.config['websocket.url'])
    const text = `The credentials for ${url} were refused ${this.#denied} times in a row. ${cause.message}`
    const field = cause.status === 407 ? 'websocket.proxy.url' : 'websocket.headers'
    return new ConfigError('WEBSOCKET_DENIED', text, { field, cause })
  }

  async #renewTls(): Promise<void> {
    const { config, log } = this.#parts
    try {
      this.#tls = await readWebSocketTls(config)
    } catch (error) {
      log.warn('tls_files_unreadable', { error, using: 'the ones read before' })
    }
  }
}

/** Puts a feed's dialer together from its settings and the files that they name; no network. Throws ConfigError. */
export async function createDialer(
  config: WebSocketConfig,
  props: Props,
  open: OpenWebSocket,
  log: Logger,
): Promise<Dialer> {
  const handshake = new Handshake(config, props)
  return new Dialer({ config, handshake, open, log }, await readWebSocketTls(config))
}

/** Reads and checks what TLS needs. Throws ConfigError on the key that is to blame. */
export async function readWebSocketTls(config: WebSocketConfig): Promise<TlsOptions> {
  const servername = config['websocket.tls.server.name']
  return { ...(await readTls(tlsSettings(config))), ...(servername ? { servername } : {}) }
}

export function tlsSettings(config: WebSocketConfig): TlsSettings {
  const password = 'websocket.tls.client.key.password'
  return {
    caCert: { key: 'websocket.tls.ca.cert', value: config['websocket.tls.ca.cert'] },
    clientCert: { key: 'websocket.tls.client.cert', value: config['websocket.tls.client.cert'] },
    clientKey: { key: 'websocket.tls.client.key', value: config['websocket.tls.client.key'] },
    clientKeyPassword: { key: password, value: config[password]?.reveal() ?? null },
  }
}
