import assert from 'node:assert/strict'
import { on } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { type Feed, startFeed } from '@tributary/demo-feed'
import { WebSocket } from 'ws'

interface Answer {
  readonly op?: string
  readonly message?: string
  readonly sequence?: number
}

describe("the demo feed's live quotes", () => {
  let feed: Feed
  before(async () => {
    feed = await startFeed()
  })
  after(() => feed.stop())

  /** The first `count` messages with which the feed answers some requests. */
  async function answers(requests: readonly unknown[], count: number): Promise<Answer[]> {
    const socket = new WebSocket(`ws://127.0.0.1:${feed.wsPort}/live?symbols=A&rate=500`)
    socket.on('open', () => requests.forEach((request) => socket.send(JSON.stringify(request))))
    const read: Answer[] = []
    for await (const [data] of on(socket, 'message') as AsyncIterable<[Buffer]>) {
      read.push(JSON.parse(data.toString()) as Answer)
      if (read.length === count) break
    }
    socket.terminate()
    return read
  }

  test('refuses an unknown channel with a clear text, and begins after a subscription of quotes', async () => {
    const [refused, unknown, subscribed, quote] = await answers(
      [{ op: 'subscribe', channel: 'trades' }, { op: 'dance' }, { op: 'subscribe', channel: 'quotes' }],
      4,
    )
    assert.deepEqual(refused, { op: 'error', message: 'unknown channel "trades"' })
    assert.deepEqual(unknown, { op: 'error', message: 'unknown op "dance"' })
    assert.deepEqual(subscribed, { op: 'subscribed', channel: 'quotes' })
    assert.ok(Number.isSafeInteger(quote?.sequence))
  })

  test('sends all clients the same numbers without a gap, whenever they connect', async () => {
    const subscribe = [{ op: 'subscribe', channel: 'quotes' }]
    const [first, second] = await Promise.all([answers(subscribe, 200), answers(subscribe, 100)])
    const numbers = (read: Answer[]): number[] => read.slice(1).map(({ sequence }) => sequence!)
    for (const sequences of [numbers(first), numbers(second)]) {
      assert.deepEqual(
        sequences,
        sequences.map((_, i) => sequences[0]! + i),
      )
    }
    assert.ok(numbers(first).includes(numbers(second)[20]!), 'the two saw the same part of the feed')
  })
})
