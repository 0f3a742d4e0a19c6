import type { ConnectError } from '@tributary/connect-api'

/** How a connection ended. */
export interface ConnectionEnd {
  /**
   * Close code of RFC 6455, section 7.4, which the server gave, or which we gave because of what it sent. 1005: a close
   * frame without one, 1006: no close frame.
   */
  readonly code: number
  /** The server's words; '' without any. */
  readonly reason: string
  /** The same as an error of the task: NotConnectedError, or ConfigError for what no second try heals. */
  readonly error: ConnectError
}

export interface ConnectionListener {
  /** Called for every message in order, as it comes; a burst comes within one turn of the event loop. */
  onMessage(data: Buffer, binary: boolean): void
  /** A ping came, in order with the messages; it has been answered. */
  onPing?(data: Buffer): void
  /** A pong came, asked for or not. */
  onPong?(data: Buffer): void
  /** Once, after the last message; not after `terminate`. */
  onEnd(end: ConnectionEnd): void
}

/** An open WebSocket connection, whose handshake the server accepted. */
export interface WebSocketConnection {
  /** HTTP status of the handshake's answer, 101. */
  readonly responseCode: number
  /** The subprotocol that the server chose; '' for none. */
  readonly protocol: string
  /** Sends one text frame. What can no longer be sent is dropped: `onEnd` follows. */
  send(text: string): void
  /** Sends a ping with at most 125 bytes. */
  ping(data: string): void
  /** Stops reading the socket, so that TCP makes the server wait; what one read brought still comes. */
  pause(): void
  resume(): void
  /** Starts the closing handshake; messages come until the server's close frame, then `onEnd`; at the latest after 2 s. */
  close(code: number, reason: string): void
  /** Ends it at once and silently. */
  terminate(): void
}
