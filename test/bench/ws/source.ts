/**
 * The source of the WebSocket benchmarks. At full speed it writes prepared chunks of many frames whenever TCP takes
 * them. At a given rate it is open loop: a message carries the time at which it was due, even if it is sent afterwards.
 *
 * The query of the URL says what to send: `count`, `rate` (messages a second, 0: full speed), `as` (text or binary).
 * The argument is the number of messages to prepare. Prints `port=<n>`, then `sent=<n>` when the transport has taken
 * all messages.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { frame, OPCODE, type Opcode, serve } from './wire.ts'

const CHUNK_BYTES = 64 * 1024
const PAYLOAD_BYTES = 100
const SYMBOLS = ['BTC-USD', 'ETH-USD', 'SOL-USD', 'XRP-USD', 'ADA-USD', 'LTC-USD', 'DOT-USD', 'UNI-USD']

const nowUs = (): number => Math.round((performance.timeOrigin + performance.now()) * 1000)

/** A JSON object of 100 bytes. */
function payload(sequence: number, dueUs: number): Buffer {
  const id = `evt-${String(sequence).padStart(10, '0')}`
  const text = `{"id":"${id}","dueUs":"${dueUs}","symbol":"${SYMBOLS[sequence % SYMBOLS.length]}","sequence":${sequence}`
  return Buffer.from(`${text}${' '.repeat(PAYLOAD_BYTES - 1 - text.length)}}`)
}

/** Prepared in advance, so that at full speed the source only copies. */
function chunksOf(count: number, opcode: Opcode): Buffer[] {
  const chunks: Buffer[] = []
  let pending: Buffer[] = []
  let bytes = 0
  for (let sequence = 1; sequence <= count; sequence++) {
    const message = frame(opcode, payload(sequence, nowUs()))
    pending.push(message)
    bytes += message.length
    if (bytes < CHUNK_BYTES && sequence < count) continue
    chunks.push(Buffer.concat(pending))
    pending = []
    bytes = 0
  }
  return chunks
}

/**
 * Reports `sent` when TCP has taken everything, which only the callback of the last write says. `bytesWritten` also
 * counts queued bytes.
 */
function reportSent(socket: Socket, count: number): void {
  socket.write('', () => console.log(`sent=${count}`))
}

function fullSpeed(socket: Socket, chunks: readonly Buffer[], count: number): void {
  let next = 0
  const write = (): void => {
    while (next < chunks.length) if (!socket.write(chunks[next++]!)) return void socket.once('drain', write)
    reportSent(socket, count)
  }
  write()
}

function openLoop(socket: Socket, opcode: Opcode, count: number, rate: number): void {
  const startUs = nowUs() + 20_000
  let sent = 0
  const tick = (): void => {
    if (socket.destroyed) return
    const frames: Buffer[] = []
    const now = nowUs()
    for (let due = startUs; sent < count; sent++) {
      due = startUs + (sent * 1e6) / rate
      if (due > now) break
      frames.push(frame(opcode, payload(sent + 1, Math.round(due))))
    }
    if (frames.length > 0) socket.write(Buffer.concat(frames))
    if (sent < count) setTimeout(tick, 1)
    else reportSent(socket, count)
  }
  tick()
}

const prepared = Number(process.argv[2] ?? 0)
const as: 'text' | 'binary' = process.argv[3] === 'binary' ? 'binary' : 'text'
const ready = chunksOf(prepared, OPCODE[as])
const server = createServer((socket) => {
  serve(socket, {
    onOpen: ({ searchParams }) => {
      const count = Number(searchParams.get('count') ?? prepared)
      const rate = Number(searchParams.get('rate') ?? 0)
      if (rate > 0) openLoop(socket, OPCODE[as], count, rate)
      else fullSpeed(socket, ready, prepared)
    },
    onClose: () => socket.end(),
  })
})
server.listen(0, '127.0.0.1', () => console.log(`port=${(server.address() as AddressInfo).port}`))
process.stdin.on('end', () => process.exit(0)).resume()
