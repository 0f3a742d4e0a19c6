/**
 * A feed that closes each connection properly (1001) after 700 ms of messages, which is long enough to count as
 * healthy. Arguments: the number of closes; `end` ends TCP when the client has answered, `leave` leaves TCP open.
 * Prints `port=<n>`, then `answered=<n> reconnect_ms=<a,b,…>`.
 */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { closeFrame, frame, OPCODE, serve } from './wire.ts'

const STREAM_MS = 700
const MESSAGE_EVERY_MS = 10
const [closesText = '20', afterwards = 'end'] = process.argv.slice(2)
const closes = Number(closesText)

let closedAt: number | null = null
let answered = 0
const times: number[] = []

function stream(socket: Socket): void {
  let n = 0
  const timer = setInterval(() => socket.write(frame(OPCODE.text, Buffer.from(`{"n":${++n}}`))), MESSAGE_EVERY_MS)
  socket.on('close', () => clearInterval(timer))
  setTimeout(() => {
    clearInterval(timer)
    closedAt = performance.now()
    socket.write(closeFrame(1001, 'going away'))
  }, STREAM_MS)
}

const server = createServer((socket) => {
  if (closedAt !== null) times.push(performance.now() - closedAt)
  closedAt = null
  serve(socket, {
    onOpen: () => {
      if (times.length < closes) return stream(socket)
      console.log(`answered=${answered} reconnect_ms=${times.map((ms) => ms.toFixed(1)).join()}`)
    },
    onClose: () => {
      answered++
      if (afterwards === 'end') socket.end()
    },
  })
})
server.listen(0, '127.0.0.1', () => console.log(`port=${(server.address() as AddressInfo).port}`))
process.stdin.on('end', () => process.exit(0)).resume()
