import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseConfig } from '@tributary/connect-api'
import { websocketSpec } from '../config/config.ts'
import { Backfill, backfillErrors, ResponseError } from './backfill.ts'

const URL = 'https://api.example.com/trades?from={{from}}&to={{to}}&token=s3cret'

function errors(props: Record<string, string>): string[] {
  const base = { 'websocket.url': 'ws://feed', 'kafka.topic': 't', 'sequence.field': 'n' }
  return backfillErrors(parseConfig(websocketSpec, { ...base, ...props })).map(
    ({ field, message }) => `${field}: ${message}`,
  )
}

test('a valid backfill configuration has no errors', () => {
  assert.deepEqual(errors({}), [])
  assert.deepEqual(errors({ 'backfill.url': URL, 'backfill.headers': 'X-Key:abc' }), [])
  assert.deepEqual(errors({ 'backfill.url': 'http://{{stream}}.example.com/' }), [])
})

test('an invalid URL or header is reported on its key, without secrets', () => {
  for (const [key, value, expected] of [
    ['backfill.url', `${URL}&x={{until}}`, /^backfill\.url: .*\{\{until\}\} is unknown; there are from, to, stream/],
    ['backfill.url', `${URL}{{from`, /^backfill\.url: /],
    ['backfill.url', 'https://[s3cret/', /^backfill\.url: .*no URL/],
    ['backfill.url', 'https://me:s3cret@api.example.com/', /^backfill\.url: .*belong into backfill\.headers/],
    ['backfill.headers', 'X-Key:s3cret\nX', /^backfill\.headers: /],
    ['backfill.headers', 'X Key:s3cret', /^backfill\.headers: /],
  ] as const) {
    const found = errors({ 'backfill.url': URL, [key]: value })
    assert.equal(found.length, 1, value)
    assert.match(found[0]!, expected)
    assert.ok(!found[0]!.includes('s3cret'), found[0])
  }
})

test('the name of a stream that is half of a surrogate pair is asked for like any other', async () => {
  const props = { 'websocket.url': 'ws://feed', 'kafka.topic': 't', 'sequence.field': 'n' }
  const url = 'http://127.0.0.1:1/{{stream}}'
  const backfill = new Backfill(parseConfig(websocketSpec, { ...props, 'backfill.url': url }))
  const budget = { signal: new AbortController().signal, bytes: 1000 }
  const asked = backfill.fetch({ from: 1, to: 2 }, 'a\ud800', budget)
  await assert.rejects(asked, (error) => error instanceof ResponseError && error.retriable)
})
