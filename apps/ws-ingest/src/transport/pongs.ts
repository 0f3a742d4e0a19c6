import type { WebSocket } from 'ws'

/** Answers on their way at one time; `ws` itself would end the connection at 60, a burst of pings in one read. */
const MAX_PENDING = 256

/**
 * Answers pings: each one, as long as the server reads the answers; beyond `MAX_PENDING` the latest stands for those
 * before it, as RFC 6455, section 5.5.3 allows, so that a server that does not read costs no memory.
 */
export class Pongs {
  readonly #socket: WebSocket
  readonly #sent = (): void => this.#wasSent()
  #pending = 0
  #latest: Buffer | null = null

  constructor(socket: WebSocket) {
    this.#socket = socket
  }

  answer(data: Buffer): void {
    if (this.#pending >= MAX_PENDING) {
      this.#latest = data
      return
    }
    this.#pending++
    this.#socket.pong(data, true, this.#sent)
  }

  #wasSent(): void {
    this.#pending--
    const data = this.#latest
    this.#latest = null
    if (data !== null) this.answer(data)
  }
}
