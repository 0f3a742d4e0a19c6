/**
 * The limit of reading: bare sockets that say what a client has to say, and only count the bytes that come. Arguments:
 * `grpc` | `ws`, port of the source, feeds (JSON of an array, one for each socket), ms for which all sockets pause after
 * a read (0: none; Node's shortest timer is 1 ms), and the bytes after which to report (0: never).
 *
 * Prints `started=1` at the first bytes, and `ms=<n> cpu_us=<n> rss=<n>` at the end.
 */
import { connect, type Socket } from 'node:net'
import protobuf from 'protobufjs'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

type Feed = Readonly<Record<string, number>>

const [protocol = '', port = '', feeds = '', pauseMs = '', bytes = ''] = process.argv.slice(2)
const proto = readFileSync(join(import.meta.dirname, '../grpc/feed.proto'), 'utf8')
const Request = protobuf.parse(proto).root.lookupType('bench.Request')

function frame(type: number, flags: number, stream: number, body: Uint8Array): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(body.length, 0, 3)
  head.writeUInt8(type, 3)
  head.writeUInt8(flags, 4)
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, body])
}

/** A header that no table keeps (RFC 7541, section 6.2.2), with texts shorter than 127 bytes. */
function header(name: string, value: string): Buffer {
  const text = (s: string): Buffer => Buffer.concat([Buffer.from([s.length]), Buffer.from(s)])
  return Buffer.concat([Buffer.from([0]), text(name), text(value)])
}

function int32(...values: number[]): Buffer {
  return Buffer.concat(values.map((value) => Buffer.from([value >>> 24, value >>> 16, value >>> 8, value])))
}

/** A call with the largest windows, so that nothing has to be written afterwards. */
function grpcCall(feed: Feed): Buffer {
  const largest = 0x7fff_ffff
  const message = Request.encode(feed).finish()
  const headers = { ':method': 'POST', ':scheme': 'http', ':path': '/bench.Feed/Stream', ':authority': 'source', 'content-type': 'application/grpc', te: 'trailers' } // prettier-ignore
  return Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    frame(4, 0, 0, Buffer.concat([Buffer.from([0, 4]), int32(largest)])),
    frame(8, 0, 0, int32(largest - 65_535)),
    frame(1, 4, 1, Buffer.concat(Object.entries(headers).map(([name, value]) => header(name, value)))),
    frame(0, 1, 1, Buffer.concat([Buffer.from([0]), int32(message.length), message])),
  ])
}

function handshake(feed: Feed): string {
  const query = Object.entries(feed).map(([name, value]) => `${name}=${value}`)
  const upgrade =
    'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=='
  return `GET /feed?${query.join('&')} HTTP/1.1\r\nHost: source\r\n${upgrade}\r\n\r\n`
}

const paused: Socket[] = []
let received = 0
let startedAt = 0
let before = process.cpuUsage()
let reported = false

function resumeAll(): void {
  for (const socket of paused.splice(0)) socket.resume()
}

function onData(socket: Socket, chunk: Buffer): void {
  received += chunk.length
  if (startedAt === 0) {
    startedAt = performance.now()
    before = process.cpuUsage()
    console.log('started=1')
  }
  if (pauseMs !== '0') {
    socket.pause()
    if (paused.push(socket) === 1) setTimeout(resumeAll, Number(pauseMs))
  }
  if (reported || bytes === '0' || received < Number(bytes)) return
  reported = true
  const { user, system } = process.cpuUsage(before)
  const { maxRSS } = process.resourceUsage()
  console.log(`ms=${performance.now() - startedAt} cpu_us=${user + system} rss=${maxRSS * 1024}`)
}

for (const feed of JSON.parse(feeds) as Feed[]) {
  const socket = connect(Number(port), '127.0.0.1')
  socket.write(protocol === 'grpc' ? grpcCall(feed) : handshake(feed))
  socket.on('data', (chunk: Buffer) => onData(socket, chunk))
}
process.stdin.on('end', () => process.exit(0)).resume()
process.on('SIGTERM', () => process.exit(0))
