import { NotConnectedError } from '@tributary/connect-api'
import { WebSocket } from 'ws'
import type { ConnectionListener, WebSocketConnection } from './connection.ts'

export interface OpenOptions {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  /** ms for everything up to the handshake's answer; 0: no limit. */
  readonly timeoutMs: number
}

export type OpenWebSocket = (
  options: OpenOptions,
  listener: ConnectionListener,
  signal: AbortSignal,
) => Promise<WebSocketConnection>

/** Connects. Rejects with NotConnectedError, ConfigError for what no second try heals, or the signal's reason. */
export const openWebSocket: OpenWebSocket = ({ url, headers }, listener, signal) => {
  signal.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<WebSocketConnection>()
  const socket = new WebSocket(url, { headers, perMessageDeflate: false })
  let error: Error | null = null
  let ended = false
  const connection: WebSocketConnection = {
    responseCode: 101,
    get protocol() {
      return socket.protocol
    },
    send: (text) => socket.send(text, () => {}),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: (code, reason) => socket.close(code, reason),
    terminate: () => {
      ended = true
      socket.terminate()
    },
  }
  const abort = (): void => {
    reject(signal.reason as Error)
    connection.terminate()
  }
  signal.addEventListener('abort', abort, { once: true })
  socket.on('message', (data: Buffer, binary: boolean) => listener.onMessage(data, binary))
  socket.on('open', () => {
    signal.removeEventListener('abort', abort)
    resolve(connection)
  })
  socket.on('error', (cause) => {
    error = cause
    reject(new NotConnectedError('WEBSOCKET_CONNECT', `Cannot connect: ${cause.message}`, { cause }))
  })
  socket.on('close', (code, reason) => {
    if (ended) return
    ended = true
    listener.onEnd({ code, reason: reason.toString(), error })
  })
  return promise
}
