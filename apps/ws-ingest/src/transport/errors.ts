import type { IncomingMessage } from 'node:http'
import { ConfigError, type ConnectError, NotConnectedError } from '@tributary/connect-api'
import { reasonOf } from '@tributary/push-source'
import { TOO_LARGE } from './feed-socket.ts'

const SHOWN_LENGTH = 200

/** An answer other than the one that was hoped for: 101 of the server, 200 of the proxy. */
export class HandshakeRefused extends Error {
  override readonly name = 'HandshakeRefused'
  readonly status: number
  /** Where a 3xx answer sends us; null without. */
  readonly location: string | null

  /** `who` begins the text; `words` is the body of the answer, or its beginning. */
  constructor(who: string, { statusCode, statusMessage, headers }: IncomingMessage, words: string) {
    const status = statusCode ?? 0
    const shown = words.replaceAll(/\s+/g, ' ').trim().slice(0, SHOWN_LENGTH)
    const name = statusMessage ? ` ${statusMessage}` : ''
    super(`${who} answered the handshake with ${status}${name}${shown === '' ? '' : `: ${shown}`}`)
    this.status = status
    this.location = headers.location ?? null
  }
}

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
