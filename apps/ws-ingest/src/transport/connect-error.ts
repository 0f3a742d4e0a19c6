import { ConfigError, type ConnectError, NotConnectedError } from '@tributary/connect-api'
import { reasonOf } from '@tributary/push-source'
import { TOO_LARGE } from './feed-socket.ts'
import { HandshakeRefused } from './handshake-refused.ts'

/** The error that a connect which failed is; what is classified stays as it is. */
export function connectError(shownUrl: string, error: unknown): ConnectError {
  if (error instanceof ConfigError) return error
  if (error instanceof HandshakeRefused) {
    return new NotConnectedError('WEBSOCKET_HANDSHAKE', `Cannot connect to ${shownUrl}: ${error.message}`, {
      cause: error,
    })
  }
  return new NotConnectedError('WEBSOCKET_CONNECT', `Cannot connect to ${shownUrl}: ${reasonOf(error)}`, {
    cause: error,
  })
}

/** The error that the end of a connection is; `broke` is what went wrong on it, null after a close in good order. */
export function endError(shownUrl: string, code: number, reason: string, broke: Error | null): ConnectError {
  if ((broke as { code?: unknown } | null)?.code === TOO_LARGE) {
    const key = 'websocket.max.message.bytes'
    return new ConfigError(
      'WEBSOCKET_MESSAGE_TOO_LARGE',
      `${shownUrl} sent a message larger than ${key}. Raise it; reading on would lose the message`,
      { field: key, cause: broke },
    )
  }
  if (broke !== null) {
    const text = `The connection to ${shownUrl} broke (${code}): ${reasonOf(broke)}`
    return new NotConnectedError('WEBSOCKET_CLOSED', text, { cause: broke })
  }
  const how = code === 1006 ? 'without a close frame' : `with code ${code}`
  const words = reason === '' ? '' : `: ${reason}`
  return new NotConnectedError('WEBSOCKET_CLOSED', `${shownUrl} closed the connection ${how}${words}`)
}
