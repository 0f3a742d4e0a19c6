import type { ConnectError } from '@tributary/connect-api'
import { type ConnectionLife, HandshakeRefused, Refusals } from '@tributary/push-source'
import { shownUrl, type WebSocketConfig } from '../config/config.ts'
import { wsErrors } from '../errors.ts'

/**
 * Tells ends of a feed's connections that a user must see to from those that pass: `websocket.reconnect.denied.codes`
 * and `.stop.codes`. All connections of the feed share one object.
 */
export class Denials {
  readonly #url: string
  readonly #denied: ReadonlySet<number>
  readonly #stop: ReadonlySet<number>
  readonly #handshakes: Refusals
  readonly #closes: Refusals

  constructor(config: WebSocketConfig) {
    this.#url = shownUrl(config['websocket.url'])
    this.#denied = new Set(config['websocket.reconnect.denied.codes'].map(Number))
    this.#stop = new Set(config['websocket.reconnect.stop.codes'].map(Number))
    const healthyMs = config['websocket.reconnect.healthy.ms']
    this.#handshakes = new Refusals(healthyMs)
    this.#closes = new Refusals(healthyMs)
  }

  /** The server accepted an opening handshake. */
  opened(): void {
    this.#handshakes.accepted()
  }

  /** The error for a failed opening handshake: `error`, or a ConfigError if a user must change something. */
  handshakeFailed(error: ConnectError): ConnectError {
    const { cause } = error
    const status = cause instanceof HandshakeRefused ? cause.status : 0
    const field = status === 407 ? 'websocket.proxy.url' : 'websocket.headers'
    if (this.#stop.has(status)) return this.#stopped(status, error)
    if (!this.#denied.has(status)) {
      this.#handshakes.accepted()
      return error
    }
    if (!this.#handshakes.refused()) return error
    const text = `The credentials for ${this.#url} were refused ${this.#handshakes.inARow} times in a row. ${(cause as Error).message}`
    return wsErrors.WEBSOCKET_DENIED(text, { field, cause })
  }

  /**
   * The error for the end of a connection by `code`: `error`, or a ConfigError if a user must change something. Only the
   * first thing that a server says is a denial. Servers close with the same codes when a limit of messages is reached,
   * and when the credentials of a healthy connection expire.
   */
  closed(code: number, error: ConnectError, life: ConnectionLife): ConnectError {
    if (this.#stop.has(code)) return this.#stopped(code, error)
    if (!this.#denied.has(code)) {
      this.#closes.accepted()
      return error
    }
    if (!this.#closes.refused(life)) return error
    const text = `The server closed ${this.#closes.inARow} connections in a row before it sent anything. ${error.message}`
    return wsErrors.WEBSOCKET_DENIED(text, { cause: error })
  }

  #stopped(code: number, error: ConnectError): ConnectError {
    const key = 'websocket.reconnect.stop.codes'
    return wsErrors.WEBSOCKET_DENIED(`${error.message}. ${key} has ${code}`, { cause: error })
  }
}
