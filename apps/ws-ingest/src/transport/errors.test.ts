import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { HandshakeRefused } from '@tributary/push-source'
import { connectError } from './errors.ts'

function refusal(statusCode: number, headers: IncomingMessage['headers']): HandshakeRefused {
  return new HandshakeRefused('The server', { statusCode, headers } as IncomingMessage, '')
}

test('the Retry-After of a refused handshake goes to the runtime', () => {
  const error = connectError('wss://feed', refusal(429, { 'retry-after': '30' }))
  assert.deepEqual([error.code, error.kind, error.retryAfterMs], ['WEBSOCKET_HANDSHAKE', 'retriable', 30_000])
  assert.equal(connectError('wss://feed', refusal(503, {})).retryAfterMs, undefined)
})
