import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

/** Types of HTTP/2 frames (RFC 9113, section 6). */
export const FRAME = { DATA: 0, HEADERS: 1, RST_STREAM: 3, SETTINGS: 4, PING: 6, GOAWAY: 7, CONTINUATION: 9 } as const

export const END_STREAM = 0x1
const ACK = 0x1
const END_HEADERS = 0x4
const PREFACE_BYTES = 24
const MAX_FRAME = 16_384

/** The bytes of one frame. */
export function frame(type: number, flags: number, stream: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

/** A header block in frames of 16 KiB. Each field is a literal without indexing and without Huffman code (RFC 7541). */
export function headers(stream: number, fields: readonly (readonly [string, string])[], flags = 0): Buffer {
  const block = Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), hpackText(name), hpackText(value)]))
  const out: Buffer[] = []
  for (let at = 0; at === 0 || at < block.length; at += MAX_FRAME) {
    const last = at + MAX_FRAME >= block.length ? END_HEADERS : 0
    const [type, more] = at === 0 ? [FRAME.HEADERS, flags] : [FRAME.CONTINUATION, 0]
    out.push(frame(type, more | last, stream, block.subarray(at, at + MAX_FRAME)))
  }
  return Buffer.concat(out)
}

/** A GOAWAY that allows the streams up to 1 to go on. */
export function goaway(code: number, words = ''): Buffer {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(1, 0)
  head.writeUInt32BE(code, 4)
  return frame(FRAME.GOAWAY, 0, 0, Buffer.concat([head, Buffer.from(words)]))
}

export function reset(stream: number, code: number): Buffer {
  const payload = Buffer.alloc(4)
  payload.writeUInt32BE(code)
  return frame(FRAME.RST_STREAM, 0, stream, payload)
}

/** A gRPC message with its prefix. `cut`: so many bytes are missing at its end. */
export function message(text: string, cut = 0): Buffer {
  const body = Buffer.from(text)
  const prefix = Buffer.alloc(5)
  prefix.writeUInt32BE(body.length, 1)
  return Buffer.concat([prefix, body]).subarray(0, 5 + body.length - cut)
}

/** The headers with which a gRPC server answers. */
export const ANSWER = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
] as const

export interface Framer {
  readonly port: number
  /** Frames that came from clients, by type. */
  readonly received: readonly number[]
  stop(): void
}

/**
 * A server that writes HTTP/2 frames byte by byte, so that a test decides which frames one packet holds. `serve` is called with the
 * socket at each request; the streams of one connection are 1, 3, 5 and so on. Settings and PINGs are acknowledged.
 */
export async function startFramer(serve: (socket: Socket, stream: number) => void): Promise<Framer> {
  const received: number[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let pending = Buffer.alloc(0)
    let preface = false
    socket.on('error', () => {})
    socket.write(frame(FRAME.SETTINGS, 0, 0))
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk])
      if (!preface && pending.length < PREFACE_BYTES) return
      if (!preface) pending = pending.subarray(PREFACE_BYTES)
      preface = true
      while (pending.length >= 9) {
        const end = 9 + pending.readUIntBE(0, 3)
        if (pending.length < end) return
        const [type, flags, stream] = [pending[3]!, pending[4]!, pending.readUInt32BE(5)]
        const payload = pending.subarray(9, end)
        pending = pending.subarray(end)
        received.push(type)
        if (type === FRAME.SETTINGS && flags !== ACK) socket.write(frame(FRAME.SETTINGS, ACK, 0))
        if (type === FRAME.PING && flags !== ACK) socket.write(frame(FRAME.PING, ACK, 0, payload))
        if ((type === FRAME.HEADERS || type === FRAME.CONTINUATION) && (flags & END_HEADERS) !== 0) {
          serve(socket, stream)
        }
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const stop = (): void => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return { port: (server.address() as AddressInfo).port, received, stop }
}

/** The length without Huffman code in 7 bits (RFC 7541, sections 5.1 and 5.2), and the bytes. */
function hpackText(text: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length < 127) return Buffer.concat([Buffer.of(bytes.length), bytes])
  const length = [127]
  let rest = bytes.length - 127
  for (; rest >= 128; rest = Math.floor(rest / 128)) length.push((rest % 128) | 128)
  return Buffer.concat([Buffer.of(...length, rest), bytes])
}
