import type { IncomingMessage } from 'node:http'

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
