import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { QuoteEncoder } from './quote-encoder.ts'
import { quoteOf } from './quotes.ts'
import { feedSchema } from './schema.ts'

const quoteType = feedSchema.lookupType('tributary.demo.v1.Quote')

function decodeAll(bytes: Buffer): Record<string, unknown>[] {
  const quotes: Record<string, unknown>[] = []
  for (let at = 0; at < bytes.length;) {
    assert.equal(bytes[at], 0)
    const end = at + 5 + bytes.readUInt32BE(at + 1)
    quotes.push(quoteType.toObject(quoteType.decode(bytes.subarray(at + 5, end)), { longs: Number }))
    at = end
  }
  return quotes
}

describe('QuoteEncoder', () => {
  test('protobufjs reads what it writes', () => {
    const encoder = new QuoteEncoder(64)
    const request = { symbols: ['EURUSD', 'Zürich'], padding: 'x'.repeat(500) }
    const quotes = [1, 2, 300, 2 ** 40].map((sequence) => quoteOf(request, sequence, 1_700_000_000_123.5))
    for (const quote of quotes) encoder.add(quote)
    const decoded = decodeAll(encoder.take())
    assert.deepEqual(
      decoded,
      quotes.map(({ sentAtMs: _, ...quote }) => ({
        ...quote,
        sent_at: { seconds: 1_700_000_000, nanos: 123_500_000 },
      })),
    )
  })

  test('starts a new buffer after take, and does not change the taken one', () => {
    const encoder = new QuoteEncoder()
    encoder.add(quoteOf({ symbols: ['A'], padding: '' }, 1, 0))
    const first = encoder.take()
    encoder.add(quoteOf({ symbols: ['B'], padding: '' }, 2, 0))
    assert.deepEqual([decodeAll(first)[0]?.['symbol'], decodeAll(encoder.take())[0]?.['symbol']], ['A', 'B'])
    assert.equal(encoder.byteCount, 0)
  })
})

test('a quote depends only on its number', () => {
  const request = { symbols: ['EURUSD', 'GBPUSD'], padding: '' }
  assert.deepEqual(quoteOf(request, 7, 0), quoteOf(request, 7, 0))
  assert.notEqual(quoteOf(request, 7, 0).bid, quoteOf(request, 9, 0).bid)
  assert.equal(quoteOf(request, 7, 0).symbol, 'EURUSD')
})
