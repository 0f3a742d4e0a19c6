import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { DataCoalescer } from './data-coalescer.ts'

type Done = (error?: Error | null) => void

/**
 * A connection as Node's HTTP/2 is to see it: what is read passes a DataCoalescer, what is written passes as it is. It ends, fails
 * and closes with the socket, and the socket with it. Nothing is read from the socket while HTTP/2 reads nothing.
 */
export class CoalescingSocket extends Duplex {
  readonly #socket: Socket

  constructor(socket: Socket) {
    super({ allowHalfOpen: false })
    this.#socket = socket
    const coalescer = new DataCoalescer()
    let failure: Error | null = null
    socket.on('data', (chunk: Buffer) => {
      const bytes = coalescer.push(chunk)
      if (bytes.length > 0 && !this.push(bytes)) socket.pause()
    })
    socket.on('end', () => this.push(null))
    socket.on('error', (error) => {
      failure = error
    })
    socket.on('close', () => {
      const close = (): void => void this.destroy(failure ?? undefined)
      if (this.readableLength === 0) return close()
      // What came before the end is still to be read.
      this.once('end', close)
      this.push(null)
    })
  }

  override _read(): void {
    if (this.#socket.isPaused()) this.#socket.resume()
  }

  override _write(bytes: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#socket.write(bytes, done)
  }

  override _writev(writes: readonly { readonly chunk: Buffer }[], done: Done): void {
    this._write(Buffer.concat(writes.map(({ chunk }) => chunk)), 'utf8', done)
  }

  override _final(done: Done): void {
    // A socket that has ended its own side by itself, because the server ended the other one, refuses to do so again. That is no
    // failure; those of the socket come with its 'close'. An error here, while Node ends the connection, breaks an assertion of Node.
    this.#socket.end(() => done())
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#socket.destroy()
    done(error)
  }
}
