import { ConfigError, type ConnectError } from '@tributary/connect-api'
import { HandshakeRefused, reasonOf } from '@tributary/push-source'
import { TOO_LARGE } from './feed-socket.ts'
import { wsErrors } from '../errors.ts'

/** Turns the failure of a connect into an error of the task. A ConfigError stays unchanged. */
export function connectError(shownUrl: string, error: unknown): ConnectError {
  if (error instanceof ConfigError) return error
  if (error instanceof HandshakeRefused) {
    return wsErrors.WEBSOCKET_HANDSHAKE(`Cannot connect to ${shownUrl}: ${error.message}`, {
      cause: error,
      retryAfterMs: error.retryAfterMs,
    })
  }
  return wsErrors.WEBSOCKET_CONNECT(`Cannot connect to ${shownUrl}: ${reasonOf(error)}`, {
    cause: error,
  })
}

/** Turns the end of a connection into an error of the task. `failure` is null after a complete closing handshake. */
export function endError(shownUrl: string, code: number, reason: string, failure: Error | null): ConnectError {
  if ((failure as { code?: unknown } | null)?.code === TOO_LARGE) {
    const key = 'websocket.max.message.bytes'
    return wsErrors.WEBSOCKET_MESSAGE_TOO_LARGE(
      `${shownUrl} sent a message larger than ${key}. Raise it; reading on would lose the message`,
      { field: key, cause: failure },
    )
  }
  if (failure !== null) {
    const text = `The connection to ${shownUrl} broke (${code}): ${reasonOf(failure)}`
    return wsErrors.WEBSOCKET_CLOSED(text, { cause: failure })
  }
  const how = code === 1006 ? 'without a close frame' : `with code ${code}`
  const suffix = reason === '' ? '' : `: ${reason}`
  return wsErrors.WEBSOCKET_CLOSED(`${shownUrl} closed the connection ${how}${suffix}`)
}
