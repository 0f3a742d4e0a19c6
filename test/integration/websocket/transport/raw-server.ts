import { createHash } from 'node:crypto'
import { once } from 'node:events'
import * as net from 'node:net'
import * as tls from 'node:tls'
import { type ClientFrame, ClientFrames, OPCODE } from './raw-frames.ts'
import { until } from '../../../support/until.ts'

/** The GUID that is hashed with the key of a handshake (RFC 6455, section 1.3). */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/** A client that has sent its handshake. */
export class RawPeer {
  readonly socket: net.Socket
  /** First line of the request, such as `GET /path HTTP/1.1`. */
  readonly requestLine: string
  readonly path: string
  /** Headers with names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The bytes that the client has sent since. */
  readonly frames: ClientFrame[] = []
  /** The client has sent FIN, or the connection is lost. */
  ended = false

  readonly #tcp: net.Socket

  /** `tcp` is the connection below TLS, or the connection itself. */
  constructor(socket: net.Socket, tcp: net.Socket, head: string) {
    const [requestLine = '', ...lines] = head.split('\r\n')
    this.socket = socket
    this.#tcp = tcp
    this.requestLine = requestLine
    this.path = requestLine.split(' ')[1] ?? ''
    this.headers = Object.fromEntries(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
    )
    const reader = new ClientFrames()
    socket.on('data', (chunk: Buffer) => this.frames.push(...reader.push(chunk)))
    socket.on('end', () => (this.ended = true))
    socket.on('close', () => (this.ended = true))
  }

  /** Answers the handshake. `bytes` follow in the same packet. */
  accept(headers: Readonly<Record<string, string>> = {}, bytes: Buffer = Buffer.alloc(0)): void {
    const key = createHash('sha1').update(`${this.headers['sec-websocket-key']}${GUID}`).digest('base64')
    const all = { Upgrade: 'websocket', Connection: 'Upgrade', 'Sec-WebSocket-Accept': key, ...headers }
    this.socket.write(Buffer.concat([Buffer.from(head('HTTP/1.1 101 Switching Protocols', all)), bytes]))
  }

  /** Answers the handshake with another status. */
  refuse(status: string, headers: Readonly<Record<string, string>> = {}, body = ''): void {
    const all = { 'Content-Length': String(Buffer.byteLength(body)), Connection: 'close', ...headers }
    this.socket.end(head(`HTTP/1.1 ${status}`, all) + body)
  }

  send(...frames: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(frames))
  }

  /** Sends the bytes in pieces of `size` bytes, each as a packet of its own. */
  async sendChopped(bytes: Buffer, size: number): Promise<void> {
    for (let at = 0; at < bytes.length && !this.socket.destroyed; at += size) {
      this.socket.write(bytes.subarray(at, at + size))
      await new Promise(setImmediate)
    }
  }

  /** Breaks the connection with RST. */
  reset(): void {
    this.#tcp.resetAndDestroy()
  }

  framesOf(opcode: number): ClientFrame[] {
    return this.frames.filter((frame) => frame.opcode === opcode)
  }

  /** The code of the client's close frame; 1005 for a close frame without a code. */
  async closeCode(): Promise<number> {
    const [frame] = await until('the close frame of the client', () => {
      const found = this.framesOf(OPCODE.close)
      return found.length > 0 ? found : null
    })
    return frame!.payload.length < 2 ? 1005 : frame!.payload.readUInt16BE()
  }
}

function head(line: string, headers: Readonly<Record<string, string>>): string {
  return [line, ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n')
}

export interface RawServer {
  readonly port: number
  /** All clients that sent a handshake, in order. */
  readonly peers: readonly RawPeer[]
  /** Waits for the client with this number, from 0. */
  peer(number: number): Promise<RawPeer>
  /** Waits for the first client that requested this path. */
  peerAt(path: string): Promise<RawPeer>
  stop(): Promise<void>
}

/**
 * A server on a free port of the loopback address. `serve` decides what a client gets; by default the handshake is
 * accepted.
 */
export async function startRawServer(
  serve: (peer: RawPeer) => void = (peer) => peer.accept(),
  security: tls.TlsOptions | null = null,
): Promise<RawServer> {
  const peers: RawPeer[] = []
  const sockets = new Set<net.Socket>()
  const connected = (socket: net.Socket): void => {
    socket.on('error', () => {})
    let read = Buffer.alloc(0)
    const onData = (chunk: Buffer): void => {
      read = Buffer.concat([read, chunk])
      const end = read.indexOf('\r\n\r\n')
      if (end < 0) return
      socket.off('data', onData)
      const below = [...sockets].find(({ remotePort }) => remotePort === socket.remotePort)
      const peer = new RawPeer(socket, below ?? socket, read.subarray(0, end).toString())
      peers.push(peer)
      serve(peer)
    }
    socket.on('data', onData)
  }
  // Some tests need half-closed connections.
  const server =
    security === null
      ? net.createServer({ allowHalfOpen: true }, connected)
      : tls.createServer({ allowHalfOpen: true, ...security }, connected)
  server.on('tlsClientError', () => {})
  // With TLS, too, these are the TCP connections. Some of them never complete the TLS handshake.
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as net.AddressInfo).port,
    peers,
    peer: (number) => until(`client ${number}`, () => peers[number]),
    peerAt: (path) => until(`a client of ${path}`, () => peers.find((peer) => peer.path === path)),
    stop: async () => {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
