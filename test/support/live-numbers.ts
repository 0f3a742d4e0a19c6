import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { frame, OPCODE, serve } from '../bench/ws/wire.ts'

const TICK_MS = 2
const CHUNK_MESSAGES = 200

export interface LiveNumbersOptions {
  /** Numbers that the feed gets each second, whether or not anybody reads them. */
  readonly rate: number
  /** Bytes of text besides the number. */
  readonly payloadBytes: number
  /** The server cuts off a reader that is this many messages behind, as exchanges do. Infinity: it never does. */
  readonly maxBehind?: number
}

/** The numbers of one connection. */
export interface Given {
  readonly from: number
  /** The last number that was handed to TCP. */
  to: number
}

interface Reader {
  readonly socket: Socket
  readonly given: Given
  blocked: boolean
}

/**
 * A live WebSocket feed of the numbers 1, 2, 3, …, which begins with its first reader. A connection gets the numbers
 * that follow its start, and none from before. The feed writes as TCP takes the bytes, so a reader that stops reading
 * makes it wait.
 */
export class LiveNumbers {
  readonly port: number
  /** One entry for each connection, in order. */
  readonly given: Given[] = []
  /** Number of readers that were cut off. */
  cuts = 0
  readonly #server: Server
  readonly #options: Required<LiveNumbersOptions>
  readonly #readers = new Set<Reader>()
  readonly #payload: string
  readonly #timer: NodeJS.Timeout
  #startedAt: number | null = null
  #last = Infinity

  private constructor(server: Server, options: LiveNumbersOptions) {
    this.#server = server
    this.#options = { maxBehind: Infinity, ...options }
    this.#payload = 'x'.repeat(options.payloadBytes)
    this.port = (server.address() as AddressInfo).port
    server.on('connection', (socket) => this.#accept(socket))
    this.#timer = setInterval(() => {
      for (const reader of this.#readers) this.#write(reader)
    }, TICK_MS)
  }

  static async listen(options: LiveNumbersOptions): Promise<LiveNumbers> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new LiveNumbers(server, options)
  }

  /** The highest number so far; 0 before the first reader. */
  get head(): number {
    if (this.#startedAt === null) return 0
    return Math.min(this.#last, Math.floor(((performance.now() - this.#startedAt) * this.#options.rate) / 1000))
  }

  /** The last number that was handed to TCP. */
  get written(): number {
    return this.given.at(-1)?.to ?? 0
  }

  /** Whether a write waits for the reader. */
  get blocked(): boolean {
    return [...this.#readers].some((reader) => reader.blocked)
  }

  /** Ends the growth of the feed. Returns the last number. */
  end(): number {
    return (this.#last = this.head)
  }

  /** Cuts off all readers, like a server that restarts. */
  cut(): void {
    for (const { socket } of this.#readers) socket.destroy()
  }

  close(): void {
    clearInterval(this.#timer)
    this.cut()
    this.#server.close()
  }

  #accept(socket: Socket): void {
    serve(socket, {
      onOpen: () => {
        this.#startedAt ??= performance.now()
        const { head } = this
        const reader: Reader = { socket, given: { from: head + 1, to: head }, blocked: false }
        this.given.push(reader.given)
        this.#readers.add(reader)
        socket.on('close', () => this.#readers.delete(reader))
        socket.on('drain', () => {
          reader.blocked = false
          this.#write(reader)
        })
      },
      onClose: () => socket.end(),
    })
  }

  #write(reader: Reader): void {
    const { socket, given } = reader
    if (this.head - given.to > this.#options.maxBehind) {
      this.cuts++
      this.#readers.delete(reader)
      socket.destroy()
    }
    while (!reader.blocked && given.to < this.head && socket.writable) {
      const frames: Buffer[] = []
      const to = Math.min(this.head, given.to + CHUNK_MESSAGES)
      while (given.to < to) frames.push(this.#frame(++given.to))
      reader.blocked = !socket.write(Buffer.concat(frames))
    }
  }

  /** The number stands at the end, so a message with a number is complete. */
  #frame(number: number): Buffer {
    return frame(OPCODE.text, Buffer.from(`{"payload":"${this.#payload}","sequence":"${number}"}`))
  }
}
