/**
 * The source of the gRPC benchmarks: a gRPC server on bare HTTP/2, so that it takes as little of the machine as
 * possible. At full speed it writes frames of many messages whenever the flow-control window allows. At a given rate it
 * is open loop: a message carries the time at which it was due, even if it is sent afterwards.
 *
 * Prints `port=<n>`, then `sent=<n>` when the transport has all messages.
 */
import { createServer, type ServerHttp2Stream } from 'node:http2'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import protobuf from 'protobufjs'

const root = protobuf.parse(readFileSync(join(import.meta.dirname, 'feed.proto'), 'utf8'), { keepCase: true }).root
const Event = root.lookupType('bench.Event')
const Request = root.lookupType('bench.Request')
const CHUNK_BYTES = 64 * 1024
const PAYLOAD = 'x'.repeat(48)

const nowUs = (): number => Math.round((performance.timeOrigin + performance.now()) * 1000)

function framed(sequence: number, dueUs: number): Buffer {
  const body = Event.encode({
    event_id: `evt-${String(sequence).padStart(10, '0')}`,
    due_us: dueUs,
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

/** Encoded in advance, so that at full speed the source only copies. */
function chunksOf(from: number, count: number): Buffer[] {
  const chunks: Buffer[] = []
  let pending: Buffer[] = []
  let bytes = 0
  for (let i = 0; i < count; i++) {
    const frame = framed(from + i, nowUs())
    pending.push(frame)
    bytes += frame.length
    if (bytes < CHUNK_BYTES && i < count - 1) continue
    chunks.push(Buffer.concat(pending))
    pending = []
    bytes = 0
  }
  return chunks
}

function fullSpeed(stream: ServerHttp2Stream, chunks: Buffer[]): void {
  let next = 0
  const write = (): void => {
    while (next < chunks.length) if (!stream.write(chunks[next++]!)) return void stream.once('drain', write)
    console.log('sent=all')
  }
  write()
}

function openLoop(stream: ServerHttp2Stream, from: number, count: number, rate: number): void {
  const startUs = nowUs() + 20_000
  let sent = 0
  const tick = (): void => {
    if (stream.destroyed) return
    const frames: Buffer[] = []
    const now = nowUs()
    for (let due = startUs + (sent * 1e6) / rate; sent < count && due <= now; due = startUs + (sent * 1e6) / rate) {
      frames.push(framed(from + sent++, Math.round(due)))
    }
    if (frames.length > 0) stream.write(Buffer.concat(frames))
    if (sent < count) setTimeout(tick, 1)
    else console.log('sent=all')
  }
  tick()
}

const prepared = Number(process.argv[2] ?? 0)
const ready = prepared > 0 ? chunksOf(1, prepared) : []
const server = createServer({ settings: { initialWindowSize: 65_535 } })
server.on('stream', (stream, headers) => {
  stream.on('error', () => stream.destroy())
  if (headers[':path'] !== '/bench.Feed/Stream') {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' }, { endStream: true })
    return
  }
  const chunks: Buffer[] = []
  stream.on('data', (chunk: Buffer) => chunks.push(chunk))
  stream.on('end', () => {
    const request = Request.toObject(Request.decode(Buffer.concat(chunks).subarray(5)), {
      longs: Number,
      defaults: true,
    })
    const { count, rate, from } = request as { count: number; rate: number; from: number }
    stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' })
    const first = Math.max(from, 1)
    if (rate > 0) openLoop(stream, first, count, rate)
    else fullSpeed(stream, first === 1 && count === prepared ? ready : chunksOf(first, count))
  })
})
server.listen(0, '127.0.0.1', () => console.log(`port=${(server.address() as { port: number }).port}`))
process.stdin.on('end', () => process.exit(0)).resume()
