import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { Client, credentials } from '@grpc/grpc-js'
import { type Feed, startFeed } from '@tributary/demo-feed'
import { WebSocket } from 'ws'
import { driveTask, sequences } from '../../support/grpc-task.ts'
import { until } from '../../support/until.ts'

describe('the demo feed', () => {
  let feed: Feed
  before(async () => {
    feed = await startFeed()
  })
  after(() => feed.stop())

  const quotes = (request: object, more: Record<string, string> = {}): Record<string, string> => ({
    'grpc.server.host': '127.0.0.1',
    'grpc.server.port': String(feed.grpcPort),
    'grpc.service.name': 'tributary.demo.v1.MarketData',
    'grpc.method.name': 'StreamQuotes',
    'grpc.request.message': JSON.stringify(request),
    'kafka.topic': 'quotes',
    ...more,
  })

  test('streams the requested quotes, with types from reflection', async () => {
    const driven = await driveTask(quotes({ symbols: ['A', 'B'], last_sequence: 1000, payload_bytes: 3 }))
    await driven.connect()
    await driven.pollToError()
    assert.deepEqual(sequences(driven.records), range(1, 1000))
    const { symbol, padding } = JSON.parse(String(driven.records[1]?.value)) as Record<string, string>
    assert.deepEqual([symbol, padding], ['B', 'xxx'])
    await driven.task.stop()
  })

  test('sends the same stream when it is resumed', async () => {
    const resume = {
      'grpc.resume.field': 'sequence',
      'grpc.resume.request.field': 'from_sequence',
      'grpc.resume.request.next': 'true',
    }
    const values = async (offset: { resume: number } | null): Promise<string[]> => {
      const driven = await driveTask(quotes({ last_sequence: 20 }, resume), offset)
      await driven.connect()
      await driven.pollToError()
      await driven.task.stop()
      return driven.records.map((record) => String(record.value).replace(/"sentAt":"[^"]*"/, ''))
    }
    const whole = await values(null)
    assert.equal(whole.length, 20)
    assert.deepEqual(await values({ resume: 12 }), whole.slice(12))
  })

  test('keeps its rate, and stamps each quote with the time when it was due', async () => {
    const driven = await driveTask(
      quotes({ rate_per_second: 500, last_sequence: 100 }, { 'timestamp.field': 'sent_at' }),
    )
    await driven.connect()
    await driven.pollToError()
    const [first, last] = [driven.records[0]!.timestamp!, driven.records[99]!.timestamp!]
    assert.ok(Math.abs(last - first - 198) <= 1, `100 quotes at 500 a second were due within ${last - first} ms`)
    await driven.task.stop()
  })

  test('waits for a client that does not read', async () => {
    const bound = { 'grpc.message.queue.size': '100' }
    const driven = await driveTask(quotes({ payload_bytes: 1000 }, bound))
    const before = feed.grpc.messages
    await driven.connect()
    let last = -1
    await until('the feed waits', () => {
      const settled = feed.grpc.messages === last
      last = feed.grpc.messages
      return settled
    })
    assert.ok(feed.grpc.messages - before < 10_000)
    await driven.task.stop()
    await until('the stream is over', () => feed.grpc.streams === 0)
  })

  test("serves the JVM demo's events, filtered", async () => {
    const driven = await driveTask({
      ...quotes({ filter: 'order.placed', interval_ms: 1 }),
      'grpc.service.name': 'teststream.TestStreamService',
      'grpc.method.name': 'StreamEvents',
    })
    await driven.connect()
    const records = await driven.pollTo(5)
    assert.deepEqual(sequences(records.slice(0, 5)), range(1, 5))
    assert.equal((JSON.parse(String(records[0]?.value)) as { eventType: string }).eventType, 'order.placed')
    await driven.task.stop()
  })

  test('refuses an unknown filter and an unknown method with a clear text', async () => {
    const driven = await driveTask({
      ...quotes({ filter: 'nothing' }),
      'grpc.service.name': 'teststream.TestStreamService',
      'grpc.method.name': 'StreamEvents',
    })
    const refused = await driven.connect().then(
      () => driven.pollToError(),
      (error: unknown) => error,
    )
    assert.match(String(refused), /INVALID_ARGUMENT: no event type nothing/)
    await driven.task.stop()
  })

  test('works with a grpc-js client', async () => {
    const client = new Client(`127.0.0.1:${feed.grpcPort}`, credentials.createInsecure())
    const same = (bytes: Buffer): Buffer => bytes
    const path = '/tributary.demo.v1.MarketData/StreamQuotes'
    // last_sequence = 50
    const call = client.makeServerStreamRequest(path, same, same, Buffer.from([0x28, 50]))
    let count = 0
    call.on('data', () => count++)
    await once(call, 'end')
    assert.equal(count, 50)
    const unknown = client.makeServerStreamRequest('/no.Such/Method', same, same, Buffer.alloc(0))
    unknown.resume()
    const [error] = (await once(unknown, 'error')) as [Error]
    assert.match(error.message, /UNIMPLEMENTED: unknown method \/no\.Such\/Method/)
    client.close()
  })

  test('sends the same quotes over a WebSocket', async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${feed.wsPort}/quotes?symbols=A,B&rate=0&from=5`)
    const received: { sequence: number; symbol: string }[] = []
    socket.on('message', (data: Buffer) => void received.push(JSON.parse(data.toString()) as (typeof received)[0]))
    await until('messages', () => received.length >= 100)
    socket.terminate()
    assert.deepEqual(
      received.slice(0, 100).map((quote) => quote.sequence),
      range(5, 104),
    )
    assert.equal(received[0]?.symbol, 'A')
    await until('the feed hears of it', () => feed.ws.clients === 0)
  })
})

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i)
}
