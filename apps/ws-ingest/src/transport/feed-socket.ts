import type { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { type ClientOptions, WebSocket } from 'ws'
import { oneMessage, type ReceivedMessages } from '../message/received-messages.ts'
import { MessageInflater } from './message-inflater.ts'
import { WholeFrames } from './whole-frames.ts'

/** Stands for a Close frame without a code (RFC 6455, section 7.1.5). */
const NO_CODE = 1005
const INVALID_PAYLOAD = 1007
const TOO_BIG = 1009

/** Error code of `ws` for a message above its limit (see its doc/ws.md, "Error codes"). */
export const TOO_LARGE = 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH'

/** Limit in ms for the closing handshake. */
const CLOSE_TIMEOUT_MS = 2000

/** Most fragments of one message: far more than servers send, far fewer than memory holds. */
const MAX_FRAGMENTS = 256 * 1024

const EMPTY = Buffer.alloc(0)

export interface FeedSocketOptions {
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly compression: boolean
  readonly utf8Validation: boolean
  readonly maxMessageBytes: number
}

/** What is used of the inside of `ws`, once the connection is open. Its version is pinned, and the Autobahn cases cover the uses. */
interface Internals {
  readonly _extensions: Readonly<Record<string, PerMessageDeflate | undefined>>
  readonly _receiver: Writable
}

/** The part of the extension object of `ws` that is used here, once the server has accepted the extension. */
interface PerMessageDeflate {
  readonly params: { readonly server_no_context_takeover?: boolean }
  decompress(data: Buffer, fin: boolean, done: (error: Error | null, message?: Buffer) => void): void
}

/**
 * A `ws` client on an existing TCP or TLS connection. It reports the server's Close frame when the frame arrives; `ws`
 * itself waits until the server has also ended TCP, which some servers never do. `ws` answers a Close frame, and an
 * invalid frame, by calling `close` on this object.
 */
export class FeedSocket extends WebSocket {
  /** Called when no more messages are read: a Close frame arrived, or we sent one in answer to an invalid frame. */
  onClosing: (code: number, reason: string) => void = () => {}
  /** Called instead of the event `message`. */
  onMessages: (messages: ReceivedMessages) => void = () => {}
  readonly #maxMessageBytes: number
  /** Close code for a message that could not be decompressed. */
  #inflateFailure: number | undefined
  /** Passes on the message that was decompressed during a pause. */
  #held: (() => void) | null = null
  #tcpClosed = false

  constructor({ url, headers, compression, utf8Validation, maxMessageBytes }: FeedSocketOptions, tcp: Socket) {
    // The types of `ws` lack closeTimeout.
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
    this.on('message', (data: Buffer, binary: boolean) => this.onMessages(oneMessage(data, binary, utf8Validation)))
    this.once('open', () => {
      if (this.#deflate === undefined) this.#readWholeFrames(tcp, utf8Validation)
      else this.#inflateSynchronously(this.#deflate)
    })
    // Its end must be seen during a pause too, and comes behind the messages that were read.
    tcp.once('close', () => {
      this.#tcpClosed = true
      this.#goOn()
    })
  }

  override resume(): void {
    super.resume()
    this.#goOn()
  }

  override close(code: number | undefined = this.#inflateFailure, reason?: string | Buffer): void {
    super.close(code, reason)
    this.onClosing(code ?? NO_CODE, reason?.toString() ?? '')
  }

  /** Starts the closing handshake. Messages are read until the server's Close frame. */
  startClosing(code: number, reason: string): void {
    super.close(code, reason)
  }

  get #deflate(): PerMessageDeflate | undefined {
    return (this as unknown as Internals)._extensions['permessage-deflate']
  }

  /** Puts WholeFrames between the connection and the receiver, whose listener does no more than `pass`. */
  #readWholeFrames(tcp: Socket, utf8Validation: boolean): void {
    const receiver = (this as unknown as Internals)._receiver
    const frames = new WholeFrames({
      receiver,
      pass: (part) => {
        if (!receiver.write(part)) tcp.pause()
      },
      maxMessageBytes: this.#maxMessageBytes,
      utf8Validation,
      onMessages: (messages) => this.onMessages(messages),
    })
    tcp.removeAllListeners('data')
    tcp.on('data', (chunk) => frames.read(chunk))
  }

  /** Replaces the extension's thread pool. */
  #inflateSynchronously(deflate: PerMessageDeflate): void {
    const inflater = new MessageInflater(this.#maxMessageBytes, deflate.params.server_no_context_takeover !== true)
    let fragments: Buffer[] = []
    deflate.decompress = (data, fin, done) => {
      fragments.push(data)
      let message: Buffer = EMPTY
      let failure: Error | null = null
      if (fin) {
        try {
          message = inflater.inflate(fragments)
        } catch (error) {
          failure = this.#failed(error as Error & { code?: string })
        }
        fragments = []
      }
      const passOn = (): void => (failure === null ? done(null, message) : done(failure))
      // `done` starts the next frame, so it must run after the caller has returned from this frame.
      queueMicrotask(() => this.#passOnUnlessPaused(passOn))
    }
  }

  /** Pausing TCP is not enough: what was read already may be a thousand times as much once decompressed. */
  #passOnUnlessPaused(passOn: () => void): void {
    if (this.isPaused && !this.#tcpClosed) this.#held = passOn
    else passOn()
  }

  #goOn(): void {
    const held = this.#held
    this.#held = null
    if (held !== null) queueMicrotask(() => this.#passOnUnlessPaused(held))
  }

  #failed(error: Error & { code?: string }): Error {
    const tooBig = error.code === 'ERR_BUFFER_TOO_LARGE'
    this.#inflateFailure = tooBig ? TOO_BIG : INVALID_PAYLOAD
    return tooBig ? Object.assign(error, { code: TOO_LARGE }) : error
  }
}
