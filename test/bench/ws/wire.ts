/**
 * The server's side of RFC 6455 on bare TCP. So a source takes as little of the machine as possible, honours the
 * receiver's window, and knows what the transport has taken. Frames are not fragmented, and there are no extensions.
 */
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'

/** RFC 6455, section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

export const OPCODE = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const
export type Opcode = (typeof OPCODE)[keyof typeof OPCODE]

/** A final frame as a server sends it: without a mask. */
export function frame(opcode: Opcode, payload: Uint8Array): Buffer {
  const { length } = payload
  const headBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10
  const out = Buffer.allocUnsafe(headBytes + length)
  out[0] = 0x80 | opcode
  if (headBytes === 2) out[1] = length
  else if (headBytes === 4) out.writeUInt16BE(length, (out[1] = 126) && 2)
  else out.writeBigUInt64BE(BigInt(length), (out[1] = 127) && 2)
  out.set(payload, headBytes)
  return out
}

export function closeFrame(code: number, reason: string): Buffer {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason))
  payload.writeUInt16BE(code)
  payload.write(reason, 2)
  return frame(OPCODE.close, payload)
}

export interface ClientListener {
  /** Called when the handshake is answered. `url` is the target of the request. */
  onOpen(url: URL): void
  onClose?(code: number | null): void
  onText?(text: string): void
}

/** Answers the handshake and the client's pings, and passes the client's close frame and texts to `listener`. */
export function serve(socket: Socket, listener: ClientListener): void {
  let pending: Buffer = Buffer.alloc(0)
  let open = false
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk: Buffer) => {
    pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
    if (!open) {
      const end = pending.indexOf('\r\n\r\n')
      if (end < 0) return
      const request = pending.toString('latin1', 0, end)
      pending = pending.subarray(end + 4)
      open = true
      socket.write(handshakeAnswer(request))
      listener.onOpen(new URL(/^GET (\S+)/.exec(request)?.[1] ?? '/', 'ws://source'))
    }
    for (let read = clientFrame(pending); read !== null; read = clientFrame(pending)) {
      pending = pending.subarray(read.bytes)
      if (read.opcode === OPCODE.ping) socket.write(frame(OPCODE.pong, read.payload))
      else if (read.opcode === OPCODE.text) listener.onText?.(read.payload.toString())
      else if (read.opcode === OPCODE.close)
        listener.onClose?.(read.payload.length < 2 ? null : read.payload.readUInt16BE(0))
    }
  })
}

function handshakeAnswer(request: string): string {
  const key = /^sec-websocket-key: *(\S+)/im.exec(request)?.[1] ?? ''
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64')
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`
}

interface ClientFrame {
  readonly opcode: number
  readonly payload: Buffer
  /** Bytes of the frame with its header. */
  readonly bytes: number
}

/**
 * Reads the first frame of `data` and unmasks it; null while the frame is not complete. Clients send only short frames
 * to these sources.
 */
function clientFrame(data: Buffer): ClientFrame | null {
  if (data.length < 6) return null
  const extended = (data[1]! & 0x7f) === 126
  const length = extended ? data.readUInt16BE(2) : data[1]! & 0x7f
  const maskAt = extended ? 4 : 2
  const bytes = maskAt + 4 + length
  if (data.length < bytes) return null
  const payload = Buffer.from(data.subarray(maskAt + 4, bytes))
  for (let i = 0; i < length; i++) payload[i]! ^= data[maskAt + (i & 3)]!
  return { opcode: data[0]! & 0x0f, payload, bytes }
}
