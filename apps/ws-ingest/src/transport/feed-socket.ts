import type { Socket } from 'node:net'
import { type ClientOptions, WebSocket } from 'ws'

/** Code of a close frame without one (RFC 6455, section 7.1.5). */
const NO_CODE = 1005

/** A closing handshake that is not done after so many ms is given up. */
const CLOSE_TIMEOUT_MS = 2000

/** Fragments of one message: far more than a server would make, far fewer than a memory holds. */
const MAX_FRAGMENTS = 256 * 1024

export interface FeedSocketOptions {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly compression: boolean
  readonly utf8Validation: boolean
  readonly maxMessageBytes: number
}

/**
 * The `ws` client over a connection that is there. It tells of the server's close frame when it comes: `ws` itself waits
 * until the server has ended TCP too, which some never do. It answers a close frame, and a frame that it cannot read,
 * by calling its own `close`.
 */
export class FeedSocket extends WebSocket {
  /** Nothing that comes is read any more: a close frame came, or we had to send one because of what came. */
  onClosing: (code: number, reason: string) => void = () => {}

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
  }

  override close(code?: number, reason?: string | Buffer): void {
    super.close(code, reason)
    this.onClosing(code ?? NO_CODE, reason?.toString() ?? '')
  }

  /** Our own close: what comes is read until the server's close frame. */
  startClosing(code: number, reason: string): void {
    super.close(code, reason)
  }
}
