import { ConfigError, type ConnectError } from '@tributary/connect-api'

/** Times in a row that a server may close so: a token that is renewed in the meantime heals it. */
const DENIED_TRIES = 3

/** RFC 6455: policy violation; IANA's registry of close codes: unauthorized, forbidden. */
const DENIED: readonly number[] = [1008, 3000, 3003]

/** Counts, over a feed's connections, those that the server closed because of who we are, before it sent anything. */
export class PolicyCloses {
  #count = 0

  /** The error that a connection's end is, given the one that it would be on its own. */
  judge(code: number, error: ConnectError, delivered: boolean): ConnectError {
    this.#count = !delivered && DENIED.includes(code) ? this.#count + 1 : 0
    if (this.#count < DENIED_TRIES) return error
    const text = `The server closed ${this.#count} connections in a row before it sent anything. ${error.message}`
    return new ConfigError('WEBSOCKET_DENIED', text, { cause: error })
  }
}
