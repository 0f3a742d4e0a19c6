import type { Socket } from 'node:net'
import { type ClientOptions, WebSocket } from 'ws'
import { MessageInflater } from './message-inflater.ts'

/** Code of a close frame without one (RFC 6455, section 7.1.5). */
const NO_CODE = 1005
const INVALID_PAYLOAD = 1007
const TOO_BIG = 1009

/** What `ws` calls a message over its limit (its doc/ws.md, "Error codes"). */
export const TOO_LARGE = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'

/** A closing handshake that is not done after so many ms is given up. */
const CLOSE_TIMEOUT_MS = 2000

/** Fragments of one message: far more than a server would make, far fewer than a memory holds. */
const MAX_FRAGMENTS = 256 * 1024

const NOTHING = Buffer.alloc(0)

export interface FeedSocketOptions {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly compression: boolean
  readonly utf8Validation: boolean
  readonly maxMessageBytes: number
}

/** What `ws` has of the extension once the server has accepted it. */
interface PerMessageDeflate {
  readonly params: { readonly server_no_context_takeover?: boolean }
  decompress(data: Buffer, fin: boolean, done: (error: Error | null, message?: Buffer) => void): void
}

/**
 * The `ws` client over a connection that is there. It tells of the server's close frame when it comes: `ws` itself waits
 * until the server has ended TCP too, which some never do. It answers a close frame, and a frame that it cannot read,
 * by calling its own `close`.
 */
export class FeedSocket extends WebSocket {
  /** Nothing that comes is read any more: a close frame came, or we had to send one because of what came. */
  onClosing: (code: number, reason: string) => void = () => {}
  readonly #maxMessageBytes: number
  /** Why a message could not be inflated, as a close code. */
  #inflateFailure: number | undefined

  constructor({ url, headers, compression, utf8Validation, maxMessageBytes }: FeedSocketOptions, tcp: Socket) {
    // Its type does not know closeTimeout yet.
    const options: ClientOptions & { closeTimeout: number } = {
      headers: { ...headers },
      createConnection: () => tcp,
      perMessageDeflate: compression,
      skipUTF8Validation: !utf8Validation,
      maxPayload: maxMessageBytes,
      maxFragments: MAX_FRAGMENTS,
      autoPong: false,
      closeTimeout: CLOSE_TIMEOUT_MS,
    }
    super(url, [], options)
    this.#maxMessageBytes = maxMessageBytes
    this.once('open', () => this.#inflateOnTheSpot())
  }

  override close(code: number | undefined = this.#inflateFailure, reason?: string | Buffer): void {
    super.close(code, reason)
    this.onClosing(code ?? NO_CODE, reason?.toString() ?? '')
  }

  /** Our own close: what comes is read until the server's close frame. */
  startClosing(code: number, reason: string): void {
    super.close(code, reason)
  }

  /** Takes the place of the extension's thread pool. The version of `ws` is pinned, and the Autobahn cases go through here. */
  #inflateOnTheSpot(): void {
    const extensions = (this as unknown as { _extensions: Record<string, PerMessageDeflate | undefined> })._extensions
    const deflate = extensions['permessage-deflate']
    if (deflate === undefined) return
    const inflater = new MessageInflater(this.#maxMessageBytes, deflate.params.server_no_context_takeover !== true)
    let fragments: Buffer[] = []
    deflate.decompress = (data, fin, done) => {
      fragments.push(data)
      let message: Buffer = NOTHING
      let failure: Error | null = null
      if (fin) {
        try {
          message = inflater.inflate(fragments)
        } catch (error) {
          failure = this.#failed(error as Error & { code?: string })
        }
        fragments = []
      }
      // Its caller goes on to the next frame from `done`, and must be out of this one first.
      queueMicrotask(() => (failure === null ? done(null, message) : done(failure)))
    }
  }

  #failed(error: Error & { code?: string }): Error {
    const tooBig = error.code === 'ERR_BUFFER_TOO_LARGE'
    this.#inflateFailure = tooBig ? TOO_BIG : INVALID_PAYLOAD
    return tooBig ? Object.assign(error, { code: TOO_LARGE }) : error
  }
}
