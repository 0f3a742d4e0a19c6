import type { Socket } from 'node:net'
import { endError } from './connect-error.ts'
import type { ConnectionListener, WebSocketConnection } from './connection.ts'
import type { FeedSocket } from './feed-socket.ts'
import { Pongs } from './pongs.ts'

export interface LiveConnectionParts {
  readonly socket: FeedSocket
  /** The connection below. */
  readonly tcp: Socket
  readonly protocol: string
  /** The address as errors may show it. */
  readonly shownUrl: string
  readonly listener: ConnectionListener
}

/** A connection after its handshake. It begins to read in a later turn of the event loop, so that its owner can get ready. */
export class LiveConnection implements WebSocketConnection {
  readonly responseCode = 101
  readonly protocol: string
  readonly #parts: LiveConnectionParts
  #broke: Error | null = null
  #paused = false
  #ended = false

  constructor(parts: LiveConnectionParts) {
    const { socket, tcp, listener } = parts
    this.protocol = parts.protocol
    this.#parts = parts
    socket.pause()
    setImmediate(() => {
      if (!this.#paused) socket.resume()
    })
    const pongs = new Pongs(socket)
    socket.on('message', (data: Buffer, binary: boolean) => {
      if (!this.#ended) listener.onMessage(data, binary)
    })
    socket.on('ping', (data) => {
      pongs.answer(data)
      if (!this.#ended) listener.onPing?.(data)
    })
    socket.on('pong', (data) => {
      if (!this.#ended) listener.onPong?.(data)
    })
    socket.on('error', (error) => {
      this.#broke ??= error
    })
    socket.onClosing = (code, reason) => process.nextTick(() => this.#end(code, reason))
    socket.on('close', (code, reason) => this.#end(code, reason.toString()))
    tcp.on('error', (error) => {
      this.#broke ??= error
    })
    // A server that has ended its side has nothing more to say; it may keep the other side open for ever.
    tcp.on('end', () => tcp.destroy())
  }

  send(text: string): void {
    this.#parts.socket.send(text, ignore)
  }

  ping(data: string): void {
    this.#parts.socket.ping(data, true, ignore)
  }

  pause(): void {
    this.#paused = true
    if (!this.#ended) this.#parts.socket.pause()
  }

  resume(): void {
    this.#paused = false
    this.#parts.socket.resume()
  }

  close(code: number, reason: string): void {
    this.#parts.socket.startClosing(code, reason)
  }

  terminate(): void {
    this.#ended = true
    this.#parts.socket.terminate()
  }

  #end(code: number, reason: string): void {
    if (this.#ended) return
    this.#ended = true
    const { listener, shownUrl } = this.#parts
    const error = endError(shownUrl, code, reason, this.#broke)
    listener.onEnd({ code, reason, error })
  }
}

/** What was not sent is known by the end that follows. */
function ignore(): void {}
