/**
 * The limit: a program that only receives and produces, with the drivers' best settings. Arguments: broker, topic, URL
 * of the source, feed (JSON with the number of messages), `pipe` | `receive` (no Kafka).
 */
import { ProduceAcks, Producer } from '@platformatic/kafka'
import { WebSocket } from 'ws'

const [broker = '', topic = '', url = '', feed = '', mode = ''] = process.argv.slice(2)
/** The fastest of 500, 1,000, 2,000 and 4,000 records a request. */
const BATCH = 1000
const { count: total } = JSON.parse(feed) as { count: number }
const producer = new Producer({ clientId: 'bare', bootstrapBrokers: [broker], idempotent: true, acks: ProduceAcks.ALL })
const socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true })

let queue: Buffer[] = []
let received = 0
let sending = false

async function send(): Promise<void> {
  sending = true
  while (queue.length > 0) {
    const batch = queue.slice(0, BATCH)
    queue = queue.slice(BATCH)
    if (socket.isPaused && queue.length < 2000) socket.resume()
    await producer.send({ messages: batch.map((value) => ({ topic, partition: 0, value })) })
  }
  sending = false
}

socket.on('message', (message: Buffer) => {
  received++
  if (mode === 'receive') return
  queue.push(message)
  if (queue.length > 10_000) socket.pause()
  if (!sending) void send()
})
let startedAt = 0
let before = process.cpuUsage()
socket.once('message', () => {
  startedAt = performance.now()
  before = process.cpuUsage()
})
const watch = setInterval(() => {
  if (received < total) return
  clearInterval(watch)
  const { user, system } = process.cpuUsage(before)
  const ms = performance.now() - startedAt
  console.log(`ms=${ms} cpu_us=${user + system} rss=${process.resourceUsage().maxRSS * 1024}`)
}, 5)
process.stdin.on('end', () => process.exit(0)).resume()
process.on('SIGTERM', () => process.exit(0))
