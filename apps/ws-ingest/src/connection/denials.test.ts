import assert from 'node:assert/strict'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, test } from 'node:test'
import { NotConnectedError, parseConfig, type Props } from '@tributary/connect-api'
import { type ConnectionLife, HandshakeRefused } from '@tributary/push-source'
import { websocketSpec } from '../config/config.ts'
import { connectError } from '../transport/errors.ts'
import { Denials } from './denials.ts'

const MUTE: ConnectionLife = { heard: false, lastedMs: 50 }
const HEARD: ConnectionLife = { heard: true, lastedMs: 50 }
const OLD: ConnectionLife = { heard: false, lastedMs: 3_600_000 }

function denialsOf(props: Props): Denials {
  return new Denials(parseConfig(websocketSpec, { 'websocket.url': 'ws://feed.test', 'kafka.topic': 't', ...props }))
}

/** The error codes of these ends, in turn. */
function codesOf(ends: readonly (readonly [code: number, life: ConnectionLife])[], props: Props = {}): string[] {
  const denials = denialsOf(props)
  return ends.map(([code, life]) => {
    return denials.closed(code, new NotConnectedError('WEBSOCKET_CLOSED', `closed with code ${code}: bad token`), life)
      .code
  })
}

/** The error codes of handshakes that were answered with these statuses, in turn; 101: the server accepted. */
function statusesOf(statuses: readonly number[], props: Props = {}): string[] {
  const denials = denialsOf(props)
  return statuses.flatMap((status) => {
    if (status === 101) {
      denials.opened()
      return []
    }
    const answer = Object.assign(new IncomingMessage(new Socket()), { statusCode: status })
    return denials.handshakeFailed(connectError('ws://feed.test', new HandshakeRefused('The server', answer, ''))).code
  })
}

describe('three closes in a row as unauthorized are a configuration error', () => {
  for (const code of [1008, 3000, 3003, 4401, 4403]) {
    test(`with code ${code}`, () => {
      assert.deepEqual(codesOf([[code, MUTE], [code, MUTE], [code, MUTE]]), ['WEBSOCKET_CLOSED', 'WEBSOCKET_CLOSED', 'WEBSOCKET_DENIED']) // prettier-ignore
    })
  }

  test('unless something else lies between them', () => {
    for (const between of [
      [1006, MUTE],
      [1008, HEARD],
      [1008, OLD],
    ] as const) {
      // prettier-ignore
      assert.ok(!codesOf([[1008, MUTE], [1008, MUTE], between, [1008, MUTE], [1008, MUTE]]).includes('WEBSOCKET_DENIED')) // prettier-ignore
    }
  })

  test('with the reason of the server in the text', () => {
    const denials = denialsOf({})
    const error = new NotConnectedError('WEBSOCKET_CLOSED', 'closed with code 1008: bad token')
    const result = [1, 2, 3].map(() => denials.closed(1008, error, MUTE)).at(-1)
    assert.match(result?.message ?? '', /3 connections in a row .* bad token/)
  })
})

for (const [name, life] of [
  ['came after a reply: a limit of messages', HEARD],
  ['ended a healthy connection without data: its credentials expired', OLD],
] as const) {
  test(`a close with 1008 is no denial that ${name}`, () => {
    assert.deepEqual(new Set(codesOf(Array.from({ length: 10 }, () => [1008, life] as const))), new Set(['WEBSOCKET_CLOSED'])) // prettier-ignore
  })
}

test('three statuses in a row as unauthorized are a configuration error, unless a handshake succeeds between them', () => {
  assert.equal(statusesOf([401, 403, 407]).at(-1), 'WEBSOCKET_DENIED')
  assert.ok(!statusesOf([401, 401, 101, 401, 401, 503, 401]).includes('WEBSOCKET_DENIED'))
})

test('codes and statuses that mean a denial can be chosen', () => {
  const props = { 'websocket.reconnect.denied.codes': '404, 4001' }
  assert.equal(codesOf([[4001, MUTE], [4001, MUTE], [4001, MUTE]], props).at(-1), 'WEBSOCKET_DENIED') // prettier-ignore
  assert.equal(codesOf([[1008, MUTE], [1008, MUTE], [1008, MUTE]], props).at(-1), 'WEBSOCKET_CLOSED') // prettier-ignore
  assert.equal(statusesOf([404, 404, 404], props).at(-1), 'WEBSOCKET_DENIED')
  assert.equal(statusesOf([401, 401, 401], props).at(-1), 'WEBSOCKET_HANDSHAKE')
})

test('codes and statuses that mean to stop at once can be chosen', () => {
  const props = { 'websocket.reconnect.stop.codes': '410,4014' }
  assert.deepEqual(codesOf([[4014, HEARD]], props), ['WEBSOCKET_DENIED'])
  assert.deepEqual(statusesOf([410], props), ['WEBSOCKET_DENIED'])
  assert.deepEqual(codesOf([[4014, HEARD]]), ['WEBSOCKET_CLOSED'])
})

test('a code that no server can send is refused', () => {
  for (const bad of ['x', '99', '5000', '600']) {
    assert.throws(() => denialsOf({ 'websocket.reconnect.denied.codes': bad }), { code: 'CONFIG_INVALID' })
  }
})
