import type { ConnectError, Props } from '@tributary/connect-api'
import { readTls, type TlsSettings } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import { shownUrl, type WebSocketConfig } from '../config/config.ts'
import type { ConnectionListener, WebSocketConnection } from '../transport/connection.ts'
import type { TlsOptions } from '../transport/dial.ts'
import { HandshakeRefused } from '../transport/errors.ts'
import type { OpenWebSocket } from '../transport/open-websocket.ts'
import { HandshakeTemplate } from './handshake.ts'
import type { ValueOf } from './template-values.ts'
import { wsErrors } from '../errors.ts'

/** Consecutive refusals before the task fails: a token that is renewed in the meantime may succeed. */
const DENIED_TRIES = 3
const DENIED: readonly number[] = [401, 403, 407]

export interface DialerOptions {
  readonly config: WebSocketConfig
  readonly handshake: HandshakeTemplate
  readonly open: OpenWebSocket
  readonly log: Logger
}

/** Opens the connections of a feed as its configuration says. */
export class Dialer {
  readonly #options: DialerOptions
  /** The TLS files as last read; a file that is unreadable during its renewal does not end the task. */
  #tls: TlsOptions
  #denied = 0

  constructor(options: DialerOptions, tls: TlsOptions) {
    this.#options = options
    this.#tls = tls
  }

  /**
   * Opens a connection; `valueOf` fills in the templates of the handshake. Rejects with NotConnectedError, with
   * ConfigError if a retry cannot help, or with the signal's reason.
   */
  async open(valueOf: ValueOf, listener: ConnectionListener, signal: AbortSignal): Promise<WebSocketConnection> {
    const { config, handshake, open } = this.#options
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
      throw this.#classified(error as ConnectError)
    }
  }

  /** `error`, or a ConfigError once credentials are refused too often in a row. */
  #classified(error: ConnectError): ConnectError {
    const { cause } = error
    if (!(cause instanceof HandshakeRefused && DENIED.includes(cause.status))) {
      this.#denied = 0
      return error
    }
    this.#denied++
    if (this.#denied < DENIED_TRIES) return error
    const url = shownUrl(this.#options.config['websocket.url'])
    const text = `The credentials for ${url} were refused ${this.#denied} times in a row. ${cause.message}`
    const field = cause.status === 407 ? 'websocket.proxy.url' : 'websocket.headers'
    return wsErrors.WEBSOCKET_DENIED(text, { field, cause })
  }

  async #renewTls(): Promise<void> {
    const { config, log } = this.#options
    try {
      this.#tls = await readWebSocketTls(config)
    } catch (error) {
      log.warn('tls_files_unreadable', { error, using: 'the ones read before' })
    }
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
  return new Dialer({ config, handshake, open, log }, await readWebSocketTls(config))
}

/** Reads and checks the TLS files. Throws ConfigError on the invalid key. */
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
