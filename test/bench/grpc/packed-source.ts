/**
 * A gRPC server on bare HTTP/2 that packs some 600 messages into each write, which no real server does: it takes as
 * little of the machine as possible, and shows what the receiver is capable of. At full speed only. The argument is the
 * number of messages to prepare. Prints `port=<n>`.
 */
import { createServer, type ServerHttp2Stream } from 'node:http2'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import protobuf from 'protobufjs'

const root = protobuf.parse(readFileSync(join(import.meta.dirname, 'feed.proto'), 'utf8'), { keepCase: true }).root
const Event = root.lookupType('bench.Event')
const CHUNK_BYTES = 64 * 1024
const PAYLOAD = 'x'.repeat(56)

function framed(sequence: number): Buffer {
  const body = Event.encode({
    event_id: `evt-${String(sequence).padStart(10, '0')}`,
    due_ns: Date.now() * 1e6,
    event_type: 'trade.tick',
    payload: PAYLOAD,
    sequence,
  }).finish()
  const frame = Buffer.allocUnsafe(5 + body.length)
  frame[0] = 0
  frame.writeUInt32BE(body.length, 1)
  frame.set(body, 5)
  return frame
}

/** Encoded in advance, so that the source only copies. */
function chunksOf(count: number): Buffer[] {
  const chunks: Buffer[] = []
  let pending: Buffer[] = []
  let bytes = 0
  for (let sequence = 1; sequence <= count; sequence++) {
    const frame = framed(sequence)
    pending.push(frame)
    bytes += frame.length
    if (bytes < CHUNK_BYTES && sequence < count) continue
    chunks.push(Buffer.concat(pending))
    pending = []
    bytes = 0
  }
  return chunks
}

function fullSpeed(stream: ServerHttp2Stream): void {
  let next = 0
  const write = (): void => {
    while (next < ready.length) if (!stream.write(ready[next++]!)) return void stream.once('drain', write)
  }
  write()
}

const ready = chunksOf(Number(process.argv[2]))
const server = createServer({ settings: { initialWindowSize: 65_535 } })
server.on('stream', (stream, headers) => {
  stream.on('error', () => stream.destroy())
  if (headers[':path'] !== '/bench.Feed/Stream') {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' }, { endStream: true })
    return
  }
  stream.resume()
  stream.on('end', () => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' })
    fullSpeed(stream)
  })
})
server.listen(0, '127.0.0.1', () => console.log(`port=${(server.address() as { port: number }).port}`))
process.stdin.on('end', () => process.exit(0)).resume()
