import assert from 'node:assert/strict'
import { createHash, createHmac } from 'node:crypto'
import { afterEach, beforeEach, describe, mock, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import type { Props } from '@tributary/connect-api'
import { openFeed } from './testing.ts'

/** A line of a dialogue: who sends what. In our messages `*` matches any text, such as a generated id. */
type Line = readonly [who: 'we' | 'they', text: string] | readonly [who: 'they', bytes: Buffer]

interface Exchange {
  readonly props: Props
  readonly dialogue: readonly Line[]
  /** Messages that become records. */
  readonly data: readonly string[]
}

const hmac = (algorithm: string, key: string | Buffer, text: string | Buffer, encoding: 'hex' | 'base64'): string =>
  createHmac(algorithm, key).update(text).digest(encoding)

// The time of the tests: 1795262400.250 s.
const SECONDS = '1795262400'
const MILLIS = '1795262400250'

/**
 * Initializations in the style of public feeds, as their documentation describes them, each declared by configuration
 * alone.
 */
const EXCHANGES: Readonly<Record<string, Exchange>> = {
  'Binance: SUBSCRIBE, answered with result null': {
    props: {
      'websocket.subscription.1.message': '{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}',
      'websocket.subscription.1.ack.match': 'id == 1 && result == null',
      'websocket.subscription.1.refuse.match': 'id == 1 && error',
    },
    dialogue: [
      ['we', '{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}'],
      ['they', '{"result":null,"id":1}'],
      ['they', '{"e":"trade","t":1}'],
    ],
    data: ['{"e":"trade","t":1}'],
  },
  'Coinbase Exchange: the subscription itself is signed, with a key in base64': {
    props: {
      'websocket.signature.key': Buffer.from('coinbase secret').toString('base64'),
      'websocket.signature.key.encoding': 'base64',
      'websocket.signature.template': '{{timestamp.s}}GET/users/self/verify',
      'websocket.signature.encoding': 'base64',
      'websocket.subscription.1.message':
        '{"type":"subscribe","channels":["level2"],"key":"K","passphrase":"P","timestamp":"{{timestamp.s}}","signature":"{{signature}}"}',
      'websocket.subscription.1.ack.match': 'type == subscriptions',
      'websocket.subscription.1.refuse.match': 'type == error',
    },
    dialogue: [
      [
        'we',
        `{"type":"subscribe","channels":["level2"],"key":"K","passphrase":"P","timestamp":"${SECONDS}","signature":"${hmac('sha256', 'coinbase secret', `${SECONDS}GET/users/self/verify`, 'base64')}"}`,
      ],
      ['they', '{"type":"snapshot"}'],
      ['they', '{"type":"subscriptions","channels":[]}'],
      ['they', '{"type":"l2update"}'],
    ],
    data: ['{"type":"snapshot"}', '{"type":"l2update"}'],
  },
  'Kraken v2: each subscription has an id of its own, pings are messages': {
    props: {
      'websocket.auth.wait.match': 'channel == status && data.0.system == online',
      'websocket.subscription.1.message':
        '{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"]},"req_id":1}',
      'websocket.subscription.1.ack.match': 'method == subscribe && req_id == 1 && success == true',
      'websocket.subscription.1.refuse.match': 'method == subscribe && req_id == 1 && success == false',
      'websocket.subscription.2.message':
        '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"]},"req_id":2}',
      'websocket.subscription.2.ack.match': 'method == subscribe && req_id == 2 && success == true',
      'websocket.subscription.2.refuse.match': 'method == subscribe && req_id == 2 && success == false',
      'websocket.heartbeat.message': '{"method":"ping"}',
      'websocket.heartbeat.interval.ms': '5000',
      'websocket.heartbeat.reply.match': 'method == pong',
    },
    dialogue: [
      ['they', '{"channel":"status","data":[{"system":"online"}]}'],
      ['we', '{"method":"subscribe","params":{"channel":"trade","symbol":["BTC/USD"]},"req_id":1}'],
      ['they', '{"method":"subscribe","result":{"channel":"trade"},"success":true,"req_id":1}'],
      ['we', '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"]},"req_id":2}'],
      ['they', '{"channel":"trade","data":[1]}'],
      ['they', '{"method":"subscribe","result":{"channel":"book"},"success":true,"req_id":2}'],
      ['we', '{"method":"ping"}'],
      ['they', '{"method":"pong"}'],
    ],
    data: ['{"channel":"trade","data":[1]}'],
  },
  'Kraken Futures: a challenge is signed, as the HMAC of its digest': {
    props: {
      'websocket.signature.key': Buffer.from('kraken').toString('base64'),
      'websocket.signature.key.encoding': 'base64',
      'websocket.signature.algorithm': 'hmac-sha512',
      'websocket.signature.digest': 'sha256',
      'websocket.signature.template': '{{received.message}}',
      'websocket.signature.encoding': 'base64',
      'websocket.auth.message': '{"event":"challenge","api_key":"K"}',
      'websocket.auth.ack.match': 'event == challenge',
      'websocket.auth.refuse.match': 'event == error',
      'websocket.subscription.1.message':
        '{"event":"subscribe","feed":"fills","api_key":"K","original_challenge":"{{received.message}}","signed_challenge":"{{signature}}"}',
      'websocket.subscription.1.ack.match': 'event == subscribed',
    },
    dialogue: [
      ['we', '{"event":"challenge","api_key":"K"}'],
      ['they', '{"event":"challenge","message":"c100b894-1729-464d-ace1-52dbce11db42"}'],
      [
        'we',
        `{"event":"subscribe","feed":"fills","api_key":"K","original_challenge":"c100b894-1729-464d-ace1-52dbce11db42","signed_challenge":"${hmac(
          'sha512',
          'kraken',
          createHash('sha256').update('c100b894-1729-464d-ace1-52dbce11db42').digest(),
          'base64',
        )}"}`,
      ],
      ['they', '{"event":"subscribed","feed":"fills"}'],
    ],
    data: [],
  },
  'OKX: login, then a subscription; the ping is bare text': {
    props: {
      'websocket.signature.key': 'okx secret',
      'websocket.signature.template': '{{timestamp.s}}GET/users/self/verify',
      'websocket.signature.encoding': 'base64',
      'websocket.auth.message':
        '{"op":"login","args":[{"apiKey":"K","passphrase":"P","timestamp":"{{timestamp.s}}","sign":"{{signature}}"}]}',
      'websocket.auth.ack.match': 'event == login && code == 0',
      'websocket.auth.refuse.match': 'event == error',
      'websocket.subscription.1.message': '{"op":"subscribe","args":[{"channel":"orders"}]}',
      'websocket.subscription.1.ack.match': 'event == subscribe && arg.channel == orders',
      'websocket.subscription.1.refuse.match': 'event == error',
      'websocket.heartbeat.message': 'ping',
      'websocket.heartbeat.interval.ms': '25000',
      'websocket.heartbeat.reply.match': '/^pong$/',
    },
    dialogue: [
      [
        'we',
        `{"op":"login","args":[{"apiKey":"K","passphrase":"P","timestamp":"${SECONDS}","sign":"${hmac('sha256', 'okx secret', `${SECONDS}GET/users/self/verify`, 'base64')}"}]}`,
      ],
      ['they', '{"event":"login","code":"0","msg":""}'],
      ['we', '{"op":"subscribe","args":[{"channel":"orders"}]}'],
      ['they', '{"event":"subscribe","arg":{"channel":"orders"}}'],
      ['we', 'ping'],
      ['they', 'pong'],
      ['they', '{"arg":{"channel":"orders"},"data":[]}'],
    ],
    data: ['{"arg":{"channel":"orders"},"data":[]}'],
  },
  'Huobi: everything is gzip, pings are answered with their number': {
    props: {
      'websocket.binary.decode': 'gzip',
      'websocket.subscription.1.message': '{"sub":"market.btcusdt.trade.detail","id":"{{uuid}}"}',
      'websocket.subscription.1.ack.match': 'status == ok && subbed == market.btcusdt.trade.detail',
      'websocket.subscription.1.refuse.match': 'status == error',
      'websocket.heartbeat.request.match': 'ping',
      'websocket.heartbeat.response': '{"pong":{{received.ping}}}',
    },
    dialogue: [
      ['we', '{"sub":"market.btcusdt.trade.detail","id":"*"}'],
      ['they', gzipSync('{"id":"x","status":"ok","subbed":"market.btcusdt.trade.detail"}')],
      ['they', gzipSync('{"ch":"market.btcusdt.trade.detail","tick":1}')],
      ['they', gzipSync('{"ping":17952624002500000001}')],
      ['we', '{"pong":17952624002500000001}'],
    ],
    data: ['{"ch":"market.btcusdt.trade.detail","tick":1}'],
  },
  'Bitfinex: authentication by nonce, data in arrays, heartbeats among them': {
    props: {
      'websocket.signature.key': 'bitfinex secret',
      'websocket.signature.algorithm': 'hmac-sha384',
      'websocket.signature.template': 'AUTH{{timestamp.ms}}',
      'websocket.auth.wait.match': 'event == info && version == 2',
      'websocket.auth.message':
        '{"event":"auth","apiKey":"K","authNonce":"{{timestamp.ms}}","authPayload":"AUTH{{timestamp.ms}}","authSig":"{{signature}}"}',
      'websocket.auth.ack.match': 'event == auth && status == OK',
      'websocket.auth.refuse.match': 'event == auth && status == FAILED',
      'websocket.subscription.1.message': '{"event":"subscribe","channel":"trades","symbol":"tBTCUSD"}',
      'websocket.subscription.1.ack.match': 'event == subscribed',
      'websocket.subscription.1.refuse.match': 'event == error',
    },
    dialogue: [
      ['they', '{"event":"info","version":2}'],
      [
        'we',
        `{"event":"auth","apiKey":"K","authNonce":"${MILLIS}","authPayload":"AUTH${MILLIS}","authSig":"${hmac('sha384', 'bitfinex secret', `AUTH${MILLIS}`, 'hex')}"}`,
      ],
      ['they', '{"event":"auth","status":"OK"}'],
      ['we', '{"event":"subscribe","channel":"trades","symbol":"tBTCUSD"}'],
      ['they', '{"event":"subscribed","chanId":17}'],
      ['they', '[17,[[1]]]'],
      ['they', '[17,"hb"]'],
    ],
    data: ['[17,[[1]]]', '[17,"hb"]'],
  },
  'Polymarket: a subscription without a reply, PING and PONG as text': {
    props: {
      'websocket.subscription.message': '{"assets_ids":["1"],"type":"market"}',
      'websocket.heartbeat.message': 'PING',
      'websocket.heartbeat.interval.ms': '10000',
      'websocket.heartbeat.reply.match': '/^PONG$/',
    },
    dialogue: [
      ['we', '{"assets_ids":["1"],"type":"market"}'],
      ['they', '[{"event_type":"book"}]'],
      ['we', 'PING'],
      ['they', 'PONG'],
    ],
    data: ['[{"event_type":"book"}]'],
  },
  'SignalR: each message ends in a record separator': {
    props: {
      'websocket.auth.message': '{"protocol":"json","version":1}\u001e',
      'websocket.auth.ack.match': '/^\\{\\}\\x1e$/',
      'websocket.subscription.message': '{"type":4,"target":"Stream","arguments":[]}\u001e',
      'websocket.heartbeat.message': '{"type":6}\u001e',
      'websocket.heartbeat.interval.ms': '15000',
    },
    dialogue: [
      ['we', '{"protocol":"json","version":1}\u001e'],
      ['they', '{}\u001e'],
      ['we', '{"type":4,"target":"Stream","arguments":[]}\u001e'],
      ['they', '{"type":2,"item":1}\u001e'],
      ['we', '{"type":6}\u001e'],
    ],
    data: ['{"type":2,"item":1}\u001e'],
  },
  'STOMP: frames end in NUL, heartbeats are line feeds': {
    props: {
      'websocket.auth.message': 'CONNECT\naccept-version:1.2\n\n\0',
      'websocket.auth.ack.match': '/^CONNECTED\\n/',
      'websocket.subscription.1.message': 'SUBSCRIBE\nid:0\ndestination:/q\n\n\0',
      'websocket.heartbeat.request.match': '/^\\n$/',
      'websocket.heartbeat.response': '\n',
    },
    dialogue: [
      ['we', 'CONNECT\naccept-version:1.2\n\n\0'],
      ['they', 'CONNECTED\nversion:1.2\n\n\0'],
      ['we', 'SUBSCRIBE\nid:0\ndestination:/q\n\n\0'],
      ['they', '\n'],
      ['we', '\n'],
      ['they', 'MESSAGE\n\n{}\0'],
    ],
    data: ['MESSAGE\n\n{}\0'],
  },
  'Socket.IO with a challenge: its text is escaped within the JSON behind the prefix': {
    props: {
      'websocket.auth.wait.match': 'challenge',
      'websocket.auth.message':
        '42["login",{"answer":"{{received.challenge}}","n":{{received.n}},"of":{{received.of}}}]',
    },
    dialogue: [
      ['they', '{"challenge":"a\\"b\\\\c","n":12345678901234567890,"of":{"x":1.50}}'],
      ['we', '42["login",{"answer":"a\\"b\\\\c","n":12345678901234567890,"of":{"x":1.50}}]'],
    ],
    data: [],
  },
}

describe('the configuration can express the protocol of', () => {
  beforeEach(() => mock.timers.enable({ apis: ['setInterval'] }))
  afterEach(() => mock.timers.reset())

  for (const [name, { props, dialogue, data }] of Object.entries(EXCHANGES)) {
    test(name, async () => {
      const feed = openFeed({ 'websocket.ping.interval.ms': '0', ...props }, (ms) => mock.timers.tick(ms))
      await feed.opened()
      let count = 0
      for (const [who, what] of dialogue) {
        if (who === 'they') {
          feed.serverSends(what)
          continue
        }
        for (let waits = 0; feed.sent[count] === undefined && waits < 60; waits++) feed.pass(1000)
        const [before = '', ...after] = what.split('*')
        const ours = feed.sent[count++] ?? '<nothing>'
        assert.ok(ours.startsWith(before) && ours.endsWith(after.at(-1) ?? before), `${ours} is not ${what}`)
      }
      assert.equal(await feed.opened(), 'open')
      assert.deepEqual(feed.data, data)
      assert.deepEqual([feed.sent.length, feed.ended], [count, null])
      feed.connection.terminate()
    })
  }
})

test('a server cannot add a header to a frame of STOMP, and nothing is sent', async () => {
  const props = {
    'websocket.auth.wait.match': 'challenge',
    'websocket.auth.message': 'CONNECT\npasscode:{{received.challenge}}\n\n\0',
  }
  const feed = openFeed(props, () => {})
  assert.equal(await feed.opened(), null)
  feed.serverSends('{"challenge":"x\\nlogin:root"}')
  const error = await feed.opened()
  assert.match(String(error), /\{\{received\.challenge\}\} cannot stand in websocket\.auth\.message/)
  assert.deepEqual([feed.sent, feed.terminated], [[], true])
})
