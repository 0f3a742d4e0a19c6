import { once } from 'node:events'
import { createServer, type Http2Server, type Http2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { SourceOffset } from '@tributary/connect-api'
import protobuf from 'protobufjs'
import { Streams } from './streams.ts'

const STREAMS_PROTO = `
syntax = "proto3";
package crash;
message Item { string stream = 1; int64 sequence = 2; int32 call = 3; string payload = 4; }
message Ask { string stream = 1; int64 from = 2; }
service Streams { rpc Read(Ask) returns (stream Item); }
`
const { root } = protobuf.parse(STREAMS_PROTO, { keepCase: true })
const Item = root.lookupType('crash.Item')
const Ask = root.lookupType('crash.Ask')

/** A gRPC server of streams. A request names a stream and the first number to send. */
export class StreamsSource extends Streams {
  override readonly app = 'grpc-ingest'
  readonly #port: number
  readonly #server: Http2Server
  readonly #sessions = new Set<Http2Session>()

  private constructor(server: Http2Server) {
    super()
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
    server.on('session', (session) => {
      this.#sessions.add(session)
      session.on('close', () => this.#sessions.delete(session))
      session.on('error', () => session.destroy())
    })
    server.on('stream', (stream) => void this.#serve(stream))
  }

  static async listen(): Promise<StreamsSource> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new StreamsSource(server)
  }

  override config(stream: string): Record<string, string> {
    return {
      'connector.class': 'io.tributary.connect.grpc.GrpcSourceConnector',
      'grpc.server.host': '127.0.0.1',
      'grpc.server.port': String(this.#port),
      'grpc.service.name': 'crash.Streams',
      'grpc.method.name': 'Read',
      'grpc.proto.descriptor': STREAMS_PROTO,
      'grpc.request.message': JSON.stringify({ stream }),
      'grpc.resume.field': 'sequence',
      'grpc.resume.request.field': 'from',
      'grpc.resume.request.next': 'true',
    }
  }

  override committed(_stream: string, offset: SourceOffset | null): number {
    return Number(offset?.['resume'] ?? 0)
  }

  override close(): void {
    super.close()
    for (const session of this.#sessions) session.destroy()
    this.#server.close()
  }

  async #serve(http: ServerHttp2Stream): Promise<void> {
    http.on('error', () => http.destroy())
    const chunks: Buffer[] = []
    try {
      for await (const chunk of http) chunks.push(chunk as Buffer)
    } catch (error) {
      // These tests kill receivers, so a request may be cut off.
      if (http.destroyed) return
      throw error
    }
    const asked = Ask.decode(Buffer.concat(chunks).subarray(5))
    const { stream, from } = Ask.toObject(asked, { longs: Number, defaults: true }) as { stream: string; from: number }
    const ended = this.begin(stream, from, {
      answer: () => {
        if (!http.destroyed) http.respond({ ':status': 200, 'content-type': 'application/grpc+proto' })
      },
      write: (messages) =>
        void http.write(Buffer.concat(messages.map((message) => frame(Item.encode(message).finish())))),
      ready: () => !http.writableNeedDrain && !http.destroyed,
    })
    http.on('close', ended)
  }
}

/** Frames a gRPC message: a byte for "not compressed", the length, the message. */
function frame(body: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body])
}
