import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { ConfigError, NotConnectedError, type Props } from '@tributary/connect-api'
import { openFeed, type TestFeed } from './testing.ts'

const THREE_CHANNELS: Props = Object.fromEntries(
  [1, 2, 3].flatMap((n) => [
    [`websocket.subscription.${n}.message`, `{"subscribe":"c${n}","id":${n}}`],
    [`websocket.subscription.${n}.ack.match`, `id == ${n} && ok`],
    [`websocket.subscription.${n}.refuse.match`, `id == ${n} && error`],
  ]),
)

describe('a feed connection', () => {
  let feeds: TestFeed[] = []
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }))
  afterEach(() => {
    for (const feed of feeds) feed.connection.terminate()
    feeds = []
    mock.timers.reset()
  })

  async function open(props: Props): Promise<TestFeed> {
    const feed = openFeed({ 'websocket.ping.interval.ms': '0', ...props }, (ms) => mock.timers.tick(ms))
    feeds.push(feed)
    await feed.opened()
    return feed
  }

  const endCode = (feed: TestFeed): string | null => feed.ended?.code ?? null

  const code = async (feed: TestFeed): Promise<unknown> => {
    const outcome = await feed.opened()
    return outcome instanceof ConfigError || outcome instanceof NotConnectedError ? outcome.code : outcome
  }

  test('is open at once if no reply is awaited', async () => {
    const feed = await open({ 'websocket.subscription.message': 'as {{it}} is' })
    assert.equal(await feed.opened(), 'open')
    assert.deepEqual(feed.sent, ['as {{it}} is'])
  })

  test('sends one message after another, each after the acceptance of the previous one', async () => {
    const feed = await open({ ...THREE_CHANNELS, 'websocket.subscription.10.message': 'ten' })
    assert.deepEqual([feed.sent.length, await feed.opened()], [1, null])
    feed.serverSends('{"id":2,"ok":true}')
    assert.equal(feed.sent.length, 1)
    feed.serverSends('{"id":1,"ok":true}')
    feed.serverSends('{"id":2,"ok":true}')
    assert.equal(await feed.opened(), null)
    feed.serverSends('{"id":3,"ok":true}')
    assert.equal(await feed.opened(), 'open')
    assert.deepEqual(feed.sent.slice(1), ['{"subscribe":"c2","id":2}', '{"subscribe":"c3","id":3}', 'ten'])
    assert.deepEqual(feed.data, ['{"id":2,"ok":true}'])
  })

  test("fails with the server's refusal, without secrets, and sends nothing more", async () => {
    const feed = await open(THREE_CHANNELS)
    feed.serverSends('{"id":1,"ok":true}')
    feed.serverSends('{"id":2,"error":"no such channel","token":"abc"}')
    const outcome = await feed.opened()
    assert.ok(outcome instanceof ConfigError)
    assert.equal(outcome.code, 'WEBSOCKET_REFUSED')
    assert.equal(outcome.field, 'websocket.subscription.2.message')
    assert.match(outcome.message, /subscription 2: .*no such channel/)
    assert.doesNotMatch(outcome.message, /abc/)
    assert.deepEqual([feed.sent.length, feed.terminated, feed.ended], [2, true, null])
  })

  test('can be refused at any time if no reply is awaited', async () => {
    const feed = await open({
      'websocket.subscription.1.message': 'a',
      'websocket.subscription.1.refuse.match': '/^ERR/',
      'websocket.subscription.2.message': 'b',
    })
    assert.equal(await feed.opened(), 'open')
    feed.serverSends('data')
    feed.serverSends('ERR unknown a')
    assert.equal(feed.ended?.code, 'WEBSOCKET_REFUSED')
    assert.match(feed.ended.message, /subscription 1: ERR unknown a/)
    assert.deepEqual(feed.data, ['data'])
  })

  test('fails if any reply does not arrive in time', async () => {
    const feed = await open({ ...THREE_CHANNELS, 'websocket.session.timeout.ms': '5000' })
    feed.pass(4000)
    feed.serverSends('{"id":1,"ok":true}')
    feed.pass(4000)
    assert.equal(await feed.opened(), null)
    feed.pass(2000)
    assert.equal(await code(feed), 'WEBSOCKET_SESSION_TIMEOUT')
    assert.match(String(await feed.opened()), /No reply to the subscription 2 within 5000 ms/)
  })

  test('names the pending step if the server closes the connection', async () => {
    const feed = await open(THREE_CHANNELS)
    feed.serverEnds(1008, 'bad key', new NotConnectedError('WEBSOCKET_CLOSED', 'closed with code 1008: bad key'))
    assert.match(String(await feed.opened()), /1008: bad key, before its reply to the subscription 1/)
  })

  test('delivers the messages received before it failed', async () => {
    const feed = await open(THREE_CHANNELS)
    feed.serverSends('early')
    feed.serverSends('{"id":1,"error":"no"}')
    assert.equal(await feed.opened(), 'open')
    assert.deepEqual([feed.data, endCode(feed)], [['early'], 'WEBSOCKET_REFUSED'])
  })

  test('is open when messages before the reply have filled the queue, and continues its initialization', async () => {
    const feed = await open({ ...THREE_CHANNELS, 'websocket.session.timeout.ms': '1000' })
    feed.serverSends('early')
    feed.connection.pause()
    assert.equal(await feed.opened(), 'open')
    feed.pass(60_000)
    assert.equal(endCode(feed), null)
    feed.connection.resume()
    feed.serverSends('{"id":1,"ok":true}')
    assert.equal(feed.sent.length, 2)
    feed.pass(1200)
    assert.equal(endCode(feed), 'WEBSOCKET_SESSION_TIMEOUT')
  })

  test('leaves protocol messages out of the topic unless configured otherwise', async () => {
    const props = {
      'websocket.subscription.1.message': 's',
      'websocket.subscription.1.ack.match': '/^ok$/',
      'websocket.heartbeat.request.match': '/^hb$/',
      'websocket.heartbeat.response': 'hb {{uuid}}',
    }
    const without = await open(props)
    const with_ = await open({ ...props, 'websocket.session.messages.in.topic': 'true' })
    for (const feed of [without, with_]) for (const text of ['a', 'ok', 'ok', 'hb', 'b']) feed.serverSends(text)
    assert.deepEqual(without.data, ['a', 'ok', 'b'])
    assert.deepEqual(with_.data, ['a', 'ok', 'ok', 'hb', 'b'])
    assert.match(without.sent[1]!, /^hb [0-9a-f-]{36}$/)
  })

  test('uses one time, id and session id for one rendering', async () => {
    const feed = await open({
      'websocket.auth.message': '{{uuid}} {{uuid}} {{timestamp.ms}} {{timestamp.iso}} {{timestamp.utc}} {{session.id}}',
      'websocket.subscription.1.message': '{{uuid}}',
    })
    const [one, two, ...more] = feed.sent[0]!.split(' ')
    assert.equal(one, two)
    assert.notEqual(one, feed.sent[1])
    assert.deepEqual(more, ['1795262400250', '2026-11-21T12:00:00.250Z', '2026-11-21T12:00:00', 'the-session'])
  })

  test('fails if the received message lacks a field that the answer needs', async () => {
    const feed = await open({ 'websocket.auth.wait.match': 'hello', 'websocket.auth.message': '{{received.nonce}}' })
    feed.serverSends('{"hello":1}')
    assert.equal(await code(feed), 'WEBSOCKET_TEMPLATE')
    assert.deepEqual(feed.sent, [])
  })

  test('logs a preview of a subscription, and nothing of the authentication', async () => {
    const feed = await open({
      'websocket.auth.message': '{"login":"very-private"}',
      'websocket.subscription.1.message': '{"subscribe":"c1","token":"very-private"}',
    })
    const events = feed.log.map(({ event }) => event)
    assert.deepEqual(events, ['websocket_opened', 'authentication_sent', 'subscription_sent'])
    assert.equal(feed.log[2]?.fields['message_preview'], '{"subscribe":"c1","token":"[hidden]"}')
    assert.doesNotMatch(JSON.stringify(feed.log), /very-private/)
  })

  test('says that a subscription could not be sent', async () => {
    const feed = await open({ 'websocket.auth.wait.match': 'hello', 'websocket.subscription.1.message': 's' })
    feed.failSends('WebSocket is not open')
    feed.serverSends('hello')
    const { event, fields } = feed.log.find(({ event }) => event === 'session_step_failed')!
    assert.deepEqual([event, fields['message'], fields['step'], String(fields['error'])], ['session_step_failed', 'Failed to send subscription message', 'subscription 1', 'Error: WebSocket is not open']) // prettier-ignore
  })

  test('detects a silent feed', async () => {
    const feed = await open({ 'websocket.idle.timeout.ms': '2000' })
    feed.pass(1900)
    feed.serverSends('data')
    feed.pass(1900)
    assert.equal(endCode(feed), null)
    feed.pass(400)
    assert.equal(endCode(feed), 'WEBSOCKET_SILENT')
    assert.equal(feed.terminated, true)
    assert.deepEqual(feed.log.at(-1)?.event, 'websocket_failure')
  })

  test('delivers messages received during the closing handshake', async () => {
    const feed = await open({ 'websocket.idle.timeout.ms': '500' })
    feed.connection.close(1000, 'bye')
    feed.connection.close(1000, 'bye')
    feed.serverSends('last')
    feed.pass(1000)
    feed.serverEnds(1000, 'bye', new NotConnectedError('WEBSOCKET_CLOSED', 'closed with code 1000'))
    assert.deepEqual([feed.sent, feed.data, endCode(feed)], [['<close 1000 bye>'], ['last'], 'WEBSOCKET_CLOSED'])
    const events = feed.log.map(({ event }) => event)
    assert.deepEqual(events, ['websocket_opened', 'websocket_closing', 'websocket_closed'])
  })

  test('terminated during its handshake leaves nothing open', async () => {
    const feed = openFeed({}, () => {})
    feed.connection.terminate()
    assert.equal(await code(feed), 'WEBSOCKET_CLOSED')
    assert.deepEqual([feed.terminated, feed.sent], [true, []])
  })
})
