import { once } from 'node:events'
import * as http2 from 'node:http2'
import type { AddressInfo } from 'node:net'

/** Codes of gRPC that this server answers with. */
export const Status = { OK: 0, INVALID_ARGUMENT: 3, NOT_FOUND: 5, UNIMPLEMENTED: 12, INTERNAL: 13 } as const

export class GrpcError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** Answers each request message, in order; ending the answers ends the call with OK, throwing GrpcError with its code. */
export type Method = (requests: AsyncIterable<Buffer>, call: ServerCall) => Promise<void>

export interface ServerStats {
  streams: number
  messages: number
  bytes: number
}

/**
 * A gRPC server on Node's HTTP/2, only as large as a feed needs. Unlike grpc-js, which writes one HTTP/2 frame a message
 * and so gives 128,000 messages/s at most, it can write many in one piece: a benchmark's source must not be its limit.
 */
export class GrpcServer {
  readonly #methods: ReadonlyMap<string, Method>
  readonly #server = http2.createServer()
  readonly #sessions = new Set<http2.ServerHttp2Session>()
  /** What clients have let it write. */
  readonly stats: ServerStats = { streams: 0, messages: 0, bytes: 0 }

  /** Methods by path, `/package.Service/Method`. */
  constructor(methods: ReadonlyMap<string, Method>) {
    this.#methods = methods
    this.#server.on('session', (session) => {
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
    })
    this.#server.on('stream', (stream, headers) => void this.#serve(stream, String(headers[':path'])))
  }

  /** Answers the port. */
  async listen(host: string, port: number): Promise<number> {
    this.#server.listen(port, host)
    await once(this.#server, 'listening')
    return (this.#server.address() as AddressInfo).port
  }

  /** Cuts all connections. */
  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const session of this.#sessions) session.destroy()
    await closed
  }

  /** Never rejects: what goes wrong is the call's status. */
  async #serve(stream: http2.ServerHttp2Stream, path: string): Promise<void> {
    // The client has gone; 'close' follows, and the call notices.
    stream.on('error', () => {})
    const method = this.#methods.get(path)
    if (!method) {
      stream.respond(
        {
          ':status': 200,
          'content-type': 'application/grpc',
          'grpc-status': String(Status.UNIMPLEMENTED),
          'grpc-message': percentEncoded(`unknown method ${path}`),
        },
        { endStream: true },
      )
      return
    }
    this.stats.streams++
    const call = new ServerCall(stream, this.stats)
    try {
      await method(messagesOf(stream), call)
      call.end(Status.OK, '')
    } catch (error) {
      if (error instanceof GrpcError) call.end(error.code, error.message)
      else call.end(Status.INTERNAL, error instanceof Error ? error.message : String(error))
    } finally {
      this.stats.streams--
    }
  }
}

/** The answering side of one call. */
export class ServerCall {
  readonly #stream: http2.ServerHttp2Stream
  readonly #stats: ServerStats
  readonly #closed = new AbortController()
  /** Aborted when the client is gone. */
  readonly closed = this.#closed.signal

  constructor(stream: http2.ServerHttp2Stream, stats: ServerStats) {
    this.#stream = stream
    this.#stats = stats
    stream.once('close', () => this.#closed.abort())
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  }

  /** Writes `messages` framed messages; resolves when the client's window has room for more. Rejects when it is gone. */
  async write(frames: Buffer, messages: number): Promise<void> {
    this.closed.throwIfAborted()
    const room = this.#stream.write(frames)
    this.#stats.messages += messages
    this.#stats.bytes += frames.length
    if (!room) await once(this.#stream, 'drain', { signal: this.closed })
  }

  end(code: number, message: string): void {
    if (this.#stream.destroyed) return
    this.#stream.once('wantTrailers', () => {
      this.#stream.sendTrailers({ 'grpc-status': String(code), 'grpc-message': percentEncoded(message) })
    })
    this.#stream.end()
  }
}

/** `grpc-message`: printable ASCII stays, but for the percent sign (PROTOCOL-HTTP2, "Percent-Encoded"). */
function percentEncoded(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent)
}

const PREFIX_BYTES = 5

/** One message behind its prefix: not compressed, length. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(PREFIX_BYTES + message.length)
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, PREFIX_BYTES)
  return frame
}

async function* messagesOf(stream: http2.ServerHttp2Stream): AsyncGenerator<Buffer> {
  let bytes = Buffer.alloc(0)
  // A method that wants no more requests still has answers to send.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk as Buffer])
    while (bytes.length >= PREFIX_BYTES && bytes.length >= PREFIX_BYTES + bytes.readUInt32BE(1)) {
      const end = PREFIX_BYTES + bytes.readUInt32BE(1)
      yield bytes.subarray(PREFIX_BYTES, end)
      bytes = bytes.subarray(end)
    }
  }
}
