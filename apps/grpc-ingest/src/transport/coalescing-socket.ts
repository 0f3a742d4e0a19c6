import type { OnReadOpts, Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { DataCoalescer } from './data-coalescer.ts'

type Done = (error?: Error | null) => void

/**
 * All sockets of the process read into this buffer, as what is read is copied to where it is needed before the next read. A buffer of
 * 64 KiB for each read, as Node has it, costs more than the copy.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024)

/** Takes what a socket reads, also what it reads before anybody wants it. */
export class SocketReads {
  #early: Buffer[] = []
  #taker: ((bytes: Buffer) => boolean) | null = null

  /** For `net.connect`. */
  readonly onread: OnReadOpts = {
    buffer: READ_BUFFER,
    callback: (count) => {
      const bytes = READ_BUFFER.subarray(0, count)
      if (this.#taker !== null) return this.#taker(bytes)
      this.#early.push(Buffer.from(bytes))
      return true
    },
  }

  /** `take` must not keep the bytes. It returns false to pause the socket. */
  takenBy(take: (bytes: Buffer) => boolean): void {
    this.#taker = take
    for (const bytes of this.#early.splice(0)) take(bytes)
  }
}

/**
 * A connection as Node's HTTP/2 is to see it: what is read passes a DataCoalescer, what is written passes as it is. It ends, fails
 * and closes with the socket, and the socket with it. Nothing is read from the socket while HTTP/2 reads nothing.
 */
export class CoalescingSocket extends Duplex {
  readonly #socket: Socket

  /** `reads` were given to a socket without TLS and proxy; any other emits 'data'. */
  constructor(socket: Socket, reads: SocketReads) {
    super({ allowHalfOpen: false })
    this.#socket = socket
    // Once the server has ended its side, HTTP/2 still answers what it reads of the rest. It ends the other side itself, after that.
    socket.allowHalfOpen = true
    const coalescer = new DataCoalescer()
    let failure: Error | null = null
    const take = (chunk: Buffer): boolean => {
      const bytes = coalescer.push(chunk)
      if (bytes.length === 0) return true
      // HTTP/2 copies what it reads at once.
      const waits = this.readableFlowing !== true || this.readableLength > 0
      return this.push(waits && bytes.buffer === READ_BUFFER.buffer ? Buffer.from(bytes) : bytes)
    }
    reads.takenBy(take)
    socket.on('data', (chunk: Buffer) => {
      if (!take(chunk)) socket.pause()
    })
    socket.on('end', () => this.push(null))
    socket.on('error', (error) => {
      failure = error
    })
    // Behind the server's end there is nothing to lose, and Node breaks an assertion of its own when an error comes while it ends its side.
    const close = (): void => void this.destroy(socket.readableEnded ? undefined : (failure ?? undefined))
    socket.on('close', () => {
      // HTTP/2 reads nothing while it writes, and hears of the end of a write by `setImmediate`.
      if (this.readableLength === 0) return setImmediate(close)
      // What came before the end is still to be read.
      this.once('end', close)
      return this.push(null)
    })
  }

  override _read(): void {
    this.#socket.resume()
  }

  /** The socket tells of its failures by 'error' and 'close'. An error here would end the reading of what it has received before. */
  override _write(bytes: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#socket.write(bytes, () => done())
  }

  override _writev(writes: readonly { readonly chunk: Buffer }[], done: Done): void {
    this._write(Buffer.concat(writes.map(({ chunk }) => chunk)), 'utf8', done)
  }

  override _final(done: Done): void {
    this.#socket.end(() => done())
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#socket.destroy()
    done(error)
  }
}
