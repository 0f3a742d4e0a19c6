/**
 * A WebSocket server that packs some 600 frames into each write, which no real server does: it takes as little of the
 * machine as possible, and shows what the receiver is capable of. At full speed only. The argument is the number of
 * messages. Prints `port=<n>`.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { frame, OPCODE, serve } from './wire.ts'

const CHUNK_BYTES = 64 * 1024
const PAYLOAD_BYTES = 100
const SYMBOLS = ['BTC-USD', 'ETH-USD', 'SOL-USD', 'XRP-USD', 'ADA-USD', 'LTC-USD', 'DOT-USD', 'UNI-USD']

/** A JSON object of 100 bytes. */
function payload(sequence: number): Buffer {
  const id = `evt-${String(sequence).padStart(10, '0')}`
  const text = `{"id":"${id}","dueNs":"${Date.now()}000000","symbol":"${SYMBOLS[sequence % SYMBOLS.length]}","sequence":${sequence}`
  return Buffer.from(`${text}${' '.repeat(PAYLOAD_BYTES - 1 - text.length)}}`)
}

/** Prepared in advance, so that at full speed the source only copies. */
function chunksOf(count: number): Buffer[] {
  const chunks: Buffer[] = []
  let pending: Buffer[] = []
  let bytes = 0
  for (let sequence = 1; sequence <= count; sequence++) {
    const message = frame(OPCODE.text, payload(sequence))
    pending.push(message)
    bytes += message.length
    if (bytes < CHUNK_BYTES && sequence < count) continue
    chunks.push(Buffer.concat(pending))
    pending = []
    bytes = 0
  }
  return chunks
}

function fullSpeed(socket: Socket): void {
  let next = 0
  const write = (): void => {
    while (next < ready.length) if (!socket.write(ready[next++]!)) return void socket.once('drain', write)
  }
  write()
}

const ready = chunksOf(Number(process.argv[2]))
const server = createServer((socket) => {
  serve(socket, {
    onOpen: () => fullSpeed(socket),
    onClose: () => socket.end(),
  })
})
server.listen(0, '127.0.0.1', () => console.log(`port=${(server.address() as AddressInfo).port}`))
process.stdin.on('end', () => process.exit(0)).resume()
