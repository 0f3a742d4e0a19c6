/**
 * The limit: a program that only receives, converts and produces, with the drivers' best settings. Arguments: broker,
 * topic, port of the source, feed (JSON of a bench.Request), `json` | `bytes` | `receive` (no Kafka).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client, credentials } from '@grpc/grpc-js'
import { ProduceAcks, Producer } from '@platformatic/kafka'
import protobuf from 'protobufjs'

const [broker = '', topic = '', port = '', feed = '', mode = ''] = process.argv.slice(2)
const { root } = protobuf.parse(readFileSync(join(import.meta.dirname, 'feed.proto'), 'utf8'))
const Event = root.lookupType('bench.Event')
const Request = root.lookupType('bench.Request')
const { count: total } = JSON.parse(feed) as { count: number }
const producer = new Producer({ clientId: 'bare', bootstrapBrokers: [broker], idempotent: true, acks: ProduceAcks.ALL })
const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure())
const identity = (value: Buffer): Buffer => value
const request = Buffer.from(Request.encode(JSON.parse(feed) as object).finish())
const call = client.makeServerStreamRequest('/bench.Feed/Stream', identity, identity, request)

let queue: Buffer[] = []
let received = 0
let sending = false

const convert = (message: Buffer): Buffer =>
  mode === 'bytes' ? message : Buffer.from(JSON.stringify(Event.toObject(Event.decode(message), { longs: String })))

async function send(): Promise<void> {
  sending = true
  while (queue.length > 0) {
    const batch = queue.slice(0, 500)
    queue = queue.slice(500)
    if (call.isPaused() && queue.length < 2000) call.resume()
    const messages = batch.map((message) => ({ topic, partition: 0, value: convert(message) }))
    await producer.send({ messages })
  }
  sending = false
}

call.on('data', (message: Buffer) => {
  received++
  if (mode === 'receive') return
  queue.push(message)
  if (queue.length > 10_000) call.pause()
  if (!sending) void send()
})
let startedAt = 0
let before = process.cpuUsage()
call.once('data', () => {
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
