/**
 * A gRPC server with many quiet streams. Each stream gets a message when it begins and then one every 4 s; the messages
 * of all streams are spread evenly over that time. The server uses bare HTTP/2, so that it takes as little of the
 * machine as possible.
 *
 * Prints `port=<n>`, and `streams=<n>`: the port on which the server answers any HTTP request with the number of open
 * streams.
 */
import { createServer as createHttpServer } from 'node:http'
import { createServer, type ServerHttp2Stream } from 'node:http2'
import { readFileSync } from 'node:fs'
import { type AddressInfo } from 'node:net'
import { join } from 'node:path'
import protobuf from 'protobufjs'

const EVERY_MS = 4000
const SLOTS = 80

const proto = readFileSync(join(import.meta.dirname, '../grpc/feed.proto'), 'utf8')
const Event = protobuf.parse(proto, { keepCase: true }).root.lookupType('bench.Event')
const slots = Array.from({ length: SLOTS }, () => new Set<ServerHttp2Stream>())
let streams = 0
let opened = 0
let sequence = 0

function message(): Buffer {
  sequence++
  const event_id = `evt-${String(sequence).padStart(10, '0')}`
  const due_ns = Date.now() * 1e6
  const body = Event.encode({ event_id, due_ns, event_type: 'trade.tick', payload: 'x'.repeat(48), sequence }).finish()
  const head = Buffer.alloc(5)
  head.writeUInt32BE(body.length, 1)
  return Buffer.concat([head, body])
}

const server = createServer()
server.on('stream', (stream) => {
  const slot = slots[opened++ % SLOTS]!
  streams++
  slot.add(stream)
  stream.on('close', () => {
    streams--
    slot.delete(stream)
  })
  // The event 'close' follows.
  stream.on('error', () => stream.destroy())
  stream.resume()
  stream.respond({ ':status': 200, 'content-type': 'application/grpc+proto' })
  stream.write(message())
})

let turn = 0
setInterval(() => {
  for (const stream of slots[turn++ % SLOTS]!) if (!stream.destroyed) stream.write(message())
}, EVERY_MS / SLOTS)

const counter = createHttpServer((_request, response) => response.end(String(streams)))
for (const [name, listener] of Object.entries({ port: server, streams: counter })) {
  listener.listen(0, '127.0.0.1', () => console.log(`${name}=${(listener.address() as AddressInfo).port}`))
}
process.stdin.on('end', () => process.exit(0)).resume()
