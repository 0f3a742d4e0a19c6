import { once } from 'node:events'
import * as http2 from 'node:http2'
import type { AddressInfo } from 'node:net'

/** The gRPC status codes that this server uses. */
export const Status = {
  OK: 0,
  INVALID_ARGUMENT: 3,
  NOT_FOUND: 5,
  RESOURCE_EXHAUSTED: 8,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
} as const

export class GrpcError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * Answers each request message, in order. When the method returns, the call ends with OK. When it throws GrpcError, the
 * call ends with that code.
 */
export type Method = (requests: AsyncIterable<Buffer>, call: ServerCall) => Promise<void>

export interface ServerStats {
  streams: number
  messages: number
  bytes: number
}

/**
 * A gRPC server on Node's HTTP/2 with only the features that a feed needs. grpc-js writes one HTTP/2 frame for each
 * message, which limits it to 128,000 messages/s. This server writes many messages in one piece, because the source
 * must not limit a benchmark.
 */
export class GrpcServer {
  readonly #methods: ReadonlyMap<string, Method>
  readonly #server = http2.createServer()
  readonly #sessions = new Set<http2.ServerHttp2Session>()
  /** Counts only what clients have let the server write. */
  readonly stats: ServerStats = { streams: 0, messages: 0, bytes: 0 }

  /** `methods` maps paths, `/package.Service/Method`, to methods. */
  constructor(methods: ReadonlyMap<string, Method>) {
    this.#methods = methods
    this.#server.on('session', (session) => {
      this.#sessions.add(session)
      session.once('close', () => this.#sessions.delete(session))
    })
    this.#server.on('stream', (stream, headers) => void this.#serve(stream, String(headers[':path'])))
  }

  /** Listens and returns the port. */
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

  /** Never rejects: an error becomes the status of the call. */
  async #serve(stream: http2.ServerHttp2Stream, path: string): Promise<void> {
    // The client has gone. 'close' follows and ends the call.
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

/** The server's side of one call. */
export class ServerCall {
  readonly #stream: http2.ServerHttp2Stream
  readonly #stats: ServerStats
  readonly #closed = new AbortController()
  /** Aborts when the client is gone. */
  readonly closed = this.#closed.signal

  constructor(stream: http2.ServerHttp2Stream, stats: ServerStats) {
    this.#stream = stream
    this.#stats = stats
    stream.once('close', () => this.#closed.abort())
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
  }

  /**
   * Writes `messages` framed messages. Resolves when the client's window has room for more. Rejects when the client is
   * gone.
   */
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

/** Encodes `grpc-message`: printable ASCII stays, except the percent sign (PROTOCOL-HTTP2, "Percent-Encoded"). */
function percentEncoded(text: string): string {
  return text.replace(/[^\x20-\x24\x26-\x7e]+/g, encodeURIComponent)
}

const PREFIX_BYTES = 5

/** One message with its prefix: the flag "not compressed", and the length. */
export function framed(message: Uint8Array): Buffer {
  const frame = Buffer.alloc(PREFIX_BYTES + message.length)
  frame.writeUInt32BE(message.length, 1)
  frame.set(message, PREFIX_BYTES)
  return frame
}

/** gRPC's own default for a message that a server receives. */
const MAX_REQUEST_BYTES = 4 * 1024 * 1024

async function* messagesOf(stream: http2.ServerHttp2Stream): AsyncGenerator<Buffer> {
  let bytes = Buffer.alloc(0)
  // A method that wants no more requests may still have answers to send.
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    bytes = Buffer.concat([bytes, chunk as Buffer])
    if (bytes.length > MAX_REQUEST_BYTES + PREFIX_BYTES) {
      throw new GrpcError(Status.RESOURCE_EXHAUSTED, `a request has more than ${MAX_REQUEST_BYTES} bytes`)
    }
    while (bytes.length >= PREFIX_BYTES && bytes.length >= PREFIX_BYTES + bytes.readUInt32BE(1)) {
      const end = PREFIX_BYTES + bytes.readUInt32BE(1)
      yield bytes.subarray(PREFIX_BYTES, end)
      bytes = bytes.subarray(end)
    }
  }
}
