import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConfigError, parseConfig, type Props } from '@tributary/connect-api'
import { websocketSpec } from '../config/config.ts'
import { compileProtocol } from './feed-protocol.ts'

function errorsOf(props: Props): (readonly [field: string | undefined, code: string])[] {
  const all = { 'websocket.url': 'ws://feed.test', 'kafka.topic': 't', ...props }
  const errors: ConfigError[] = []
  compileProtocol(parseConfig(websocketSpec, all), all, (error) => errors.push(error))
  return errors.map(({ field, code }) => [field, code])
}

test('every mistake in a protocol is reported on its key', () => {
  assert.deepEqual(
    errorsOf({
      'websocket.auth.wait.match': 'a ==',
      'websocket.auth.message': '{{nonsense}}',
      'websocket.subscription.1.message': '{{',
      'websocket.subscription.2.ack.match': 'ok',
      'websocket.subscription.3.message': 'x',
      'websocket.subscription.3.ack.match': '/(/',
      'websocket.heartbeat.message': '{{received.x}}',
      'websocket.heartbeat.request.match': '&&',
      'websocket.heartbeat.response': '{{received.x}}',
    }).sort(),
    [
      ['websocket.auth.message', 'WEBSOCKET_TEMPLATE'],
      ['websocket.auth.wait.match', 'WEBSOCKET_RULE'],
      ['websocket.heartbeat.message', 'WEBSOCKET_TEMPLATE'],
      ['websocket.heartbeat.request.match', 'WEBSOCKET_RULE'],
      ['websocket.subscription.1.message', 'WEBSOCKET_TEMPLATE'],
      ['websocket.subscription.2.message', 'WEBSOCKET_SUBSCRIPTION'],
      ['websocket.subscription.3.ack.match', 'WEBSOCKET_RULE'],
    ],
  )
})

for (const [name, props, errors] of [
  [
    'a signature without a key',
    { 'websocket.auth.message': '{{signature}}' },
    [['websocket.signature.key', 'WEBSOCKET_SIGNATURE']],
  ],
  [
    'a key that is not written as it says',
    {
      'websocket.signature.key': 'xyz',
      'websocket.signature.key.encoding': 'hex',
      'websocket.signature.template': 'x',
    },
    [['websocket.signature.key', 'WEBSOCKET_SIGNATURE']],
  ],
  [
    'a signature over itself',
    { 'websocket.signature.key': 'k', 'websocket.signature.template': '{{signature}}' },
    [['websocket.signature.template', 'WEBSOCKET_TEMPLATE']],
  ],
  [
    'a subscription that names a reply that nobody waits for',
    { 'websocket.subscription.1.message': '{{received.id}}' },
    [['websocket.subscription.1.message', 'WEBSOCKET_TEMPLATE']],
  ],
] as const) {
  test(`${name} is refused`, () => assert.deepEqual(errorsOf(props), errors))
}

for (const [name, props] of [
  ['a rule for the reply to no heartbeat', { 'websocket.heartbeat.reply.match': 'pong' }],
  ['a heartbeat of the server without an answer', { 'websocket.heartbeat.request.match': 'ping' }],
  ['a signature key without what is signed', { 'websocket.signature.key': 'k' }],
  ['a subscription without a number', { 'websocket.subscription.x.message': 'y' }],
  ['a subscription number 0', { 'websocket.subscription.0.message': 'y' }],
  ['an unknown setting of a subscription', { 'websocket.subscription.1.match': 'y' }],
] as const) {
  test(`${name} is refused by the declared checks`, () =>
    assert.throws(() => errorsOf(props), { code: 'CONFIG_INVALID' }))
}
