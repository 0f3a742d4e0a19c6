import { once } from 'node:events'
import { constants, createServer, type Http2Server, type Http2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import protobuf from 'protobufjs'

const PROTO = `
syntax = "proto3";
package crash;
message Number { int64 sequence = 1; string payload = 2; }
message Request { int64 from = 1; }
service Numbers { rpc Stream(Request) returns (stream Number); }
`
const { root } = protobuf.parse(PROTO, { keepCase: true })
const NumberMessage = root.lookupType('crash.Number')
const Request = root.lookupType('crash.Request')
const CHUNK_MESSAGES = 50
const UNAVAILABLE = '14'

export interface NumbersOptions {
  /** Numbers that the log gets each second, whether or not anybody reads them. */
  readonly rate: number
  /** Bytes of text besides the number. */
  readonly payloadBytes?: number
}

/** How a stream is cut: the connection breaks within a message, RST_STREAM, or an error status. */
export type Cut = 'connection' | 'reset' | 'status'

/**
 * A gRPC server with a log of numbers 1, 2, 3, … that grows at its own pace. A stream sends the requested number and
 * all following ones: the present numbers as fast as they are taken, then each new one. The server uses bare HTTP/2, so
 * that it knows what the transport has taken.
 */
export class NumbersSource {
  readonly port: number
  /** Numbers of requested streams and of connections. */
  streams = 0
  connections = 0
  /** Messages handed to the transport, over all streams. */
  messagesWritten = 0
  /** False: new streams wait for their answer. */
  answers = true
  readonly #server: Http2Server
  readonly #options: Required<NumbersOptions>
  readonly #payload: string
  readonly #sessions = new Set<Http2Session>()
  readonly #open = new Set<ServerHttp2Stream>()
  readonly #startedAt = performance.now()
  readonly #ended = new AbortController()
  #blocked = 0
  #last = Infinity

  private constructor(server: Http2Server, options: NumbersOptions) {
    this.#server = server
    this.#options = { payloadBytes: 100, ...options }
    this.#payload = 'x'.repeat(this.#options.payloadBytes)
    this.port = (server.address() as AddressInfo).port
    server.on('session', (session) => {
      this.connections++
      this.#sessions.add(session)
      session.on('close', () => this.#sessions.delete(session))
      session.on('error', () => session.destroy())
    })
    server.on('stream', (stream) => void this.#serve(stream))
  }

  static async listen(options: NumbersOptions): Promise<NumbersSource> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new NumbersSource(server, options)
  }

  /** The keys of a connector that reads the numbers, and goes on after the last one that it has read. */
  config(): Record<string, string> {
    return {
      'connector.class': 'io.tributary.connect.grpc.GrpcSourceConnector',
      'tasks.max': '1',
      'grpc.server.host': '127.0.0.1',
      'grpc.server.port': String(this.port),
      'grpc.service.name': 'crash.Numbers',
      'grpc.method.name': 'Stream',
      'grpc.proto.descriptor': PROTO,
      'grpc.resume.field': 'sequence',
      'grpc.resume.request.field': 'from',
      'grpc.resume.request.next': 'true',
    }
  }

  /** The highest number so far. */
  get head(): number {
    return Math.min(this.#last, Math.floor(((performance.now() - this.#startedAt) * this.#options.rate) / 1000))
  }

  /** Whether a write waits for the receiver. */
  get blocked(): boolean {
    return this.#blocked > 0
  }

  /** Ends the growth of the log. Returns its last number. */
  end(): number {
    return (this.#last = this.head)
  }

  cut(how: Cut): void {
    for (const stream of this.#open) {
      if (how === 'connection') stream.write(frame(0, this.#payload).subarray(0, 20), () => stream.session?.destroy())
      else if (how === 'reset') stream.close(constants.NGHTTP2_INTERNAL_ERROR)
      else stream.end()
      this.#open.delete(stream)
    }
  }

  close(): void {
    this.#ended.abort()
    for (const session of this.#sessions) session.destroy()
    this.#server.close()
  }

  async #serve(stream: ServerHttp2Stream): Promise<void> {
    this.streams++
    stream.on('error', () => stream.destroy())
    try {
      const chunks: Buffer[] = []
      for await (const chunk of stream) chunks.push(chunk as Buffer)
      const { from } = Request.toObject(Request.decode(Buffer.concat(chunks).subarray(5)), {
        longs: Number,
        defaults: true,
      }) as { from: number }
      while (!this.answers) await sleep(5, undefined, { signal: this.#ended.signal })
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': UNAVAILABLE }))
      stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' }, { waitForTrailers: true })
      this.#open.add(stream)
      await this.#write(stream, Math.max(from, 1))
    } catch (error) {
      // These tests kill receivers, so a request may be cut off.
      if (!stream.destroyed && !this.#ended.signal.aborted) throw error
    } finally {
      this.#open.delete(stream)
    }
  }

  async #write(stream: ServerHttp2Stream, from: number): Promise<void> {
    for (let next = from; this.#open.has(stream) && !stream.destroyed;) {
      const to = Math.min(this.head, next + CHUNK_MESSAGES - 1)
      if (to < next) {
        await sleep(2, undefined, { signal: this.#ended.signal })
        continue
      }
      const frames: Buffer[] = []
      for (let sequence = next; sequence <= to; sequence++) frames.push(frame(sequence, this.#payload))
      this.messagesWritten += frames.length
      next = to + 1
      if (stream.write(Buffer.concat(frames))) continue
      this.#blocked++
      await drained(stream).finally(() => this.#blocked--)
    }
  }
}

/** Resolves when the stream takes more bytes, or is closed. */
function drained(stream: ServerHttp2Stream): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done)
      resolve()
    }
    stream.on('drain', done).on('close', done)
  })
}

/** Frames a gRPC message: a byte for "not compressed", the length, the message. */
function frame(sequence: number, payload: string): Buffer {
  const body = NumberMessage.encode({ sequence, payload }).finish()
  const head = Buffer.alloc(5)
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body])
}
