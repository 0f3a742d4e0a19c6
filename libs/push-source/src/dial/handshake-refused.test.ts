import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { HandshakeRefused } from './handshake-refused.ts'

test('a refusal names its status in words of HTTP, and shows none of the server', () => {
  for (const [status, shown] of [
    [401, '401 Unauthorized'],
    [200, '200 OK'],
    [599, '599'],
  ] as const) {
    const response = { statusCode: status, statusMessage: 'a-secret', headers: {} } as IncomingMessage
    const refused = new HandshakeRefused('The server', response, 'a-secret')
    assert.equal(refused.message, `The server answered the handshake with ${shown}`)
    assert.doesNotMatch(inspect(refused), /a-secret/)
  }
})
