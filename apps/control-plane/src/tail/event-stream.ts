import { Readable } from 'node:stream'
import { stringifyJson } from '@tributary/config'

/** Characters that may wait for the client. */
const MAX_WAITING = 1024 * 1024

/** Server-sent events (HTML Living Standard, section 9.2) for one client, within bounds. */
export class EventStream {
  readonly readable = new Readable({ read() {} })
  /** Whether the client reads more slowly than what is sent to it. */
  get full(): boolean {
    return this.readable.readableLength > MAX_WAITING
  }

  send(event: string, data: unknown): void {
    this.#push(`event: ${event}\ndata: ${stringifyJson(data)}\n\n`)
  }

  /** Shows the client, and what is between, that the connection lives. */
  heartbeat(): void {
    if (!this.full) this.#push(': heartbeat\n\n')
  }

  end(): void {
    this.#push(null)
  }

  #push(chunk: string | null): void {
    if (!this.readable.destroyed && !this.readable.readableEnded) this.readable.push(chunk)
  }
}
