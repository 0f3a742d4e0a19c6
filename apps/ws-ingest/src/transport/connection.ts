/** How a connection ended. */
export interface ConnectionEnd {
  /** Close code of RFC 6455, section 7.4; 1005: a close frame without one, 1006: no close frame. */
  readonly code: number
  /** The server's words; '' without any. */
  readonly reason: string
  /** What broke it on our side of the wire; null after a close in good order. */
  readonly error: Error | null
}

export interface ConnectionListener {
  /** Called for every message in order, as it comes; a burst comes within one turn of the event loop. */
  onMessage(data: Buffer, binary: boolean): void
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
  /** Stops reading the socket, so that TCP makes the server wait; what one read brought still comes. */
  pause(): void
  resume(): void
  /** Starts the closing handshake; messages come until the server's close frame, then `onEnd`. */
  close(code: number, reason: string): void
  /** Ends it at once and silently. */
  terminate(): void
}
