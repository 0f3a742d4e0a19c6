import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseConfig } from '@tributary/connect-api'
import { compileProtocol } from '../connection/feed-protocol.ts'
import { websocketSpec } from './config.ts'

const BASE = { 'websocket.url': 'wss://feed.example.com/ws', 'kafka.topic': 'quotes' }

function errorsOf(key: string, value: string | undefined): readonly string[] {
  const { values } = websocketSpec.validate({ ...BASE, [key]: value })
  return values.find(({ name }) => name === key)!.errors
}

/** A key of the JVM connector: its default, valid values, and invalid values with their error texts. */
interface Documented {
  readonly default?: unknown
  readonly takes: readonly string[]
  readonly refuses?: readonly (readonly [value: string | undefined, ...errors: string[]])[]
}

const url = (value: string | null, reason: string): string =>
  `Invalid value ${value} for configuration websocket.url: ${reason}`
const missing = (key: string): string => `Missing required configuration "${key}" which has no default value.`
const invalid = (key: string, value: string, reason: string): string =>
  `Invalid value ${value} for configuration ${key}: ${reason}`
const noNumber = (key: string, type: 'INT' | 'LONG'): readonly [string, string] => [
  'ten',
  invalid(key, 'ten', `Not a number of type ${type}`),
]
const noBoolean = (key: string): readonly [string, string] => [
  'yes',
  invalid(key, 'yes', 'Expected value to be either true or false'),
]
const atLeast = (key: string, value: string, min: number): readonly [string, string] => [
  value,
  invalid(key, value, `Value must be at least ${min}`),
]

/**
 * All keys, with the documented texts. Values that the JVM connector accepts but fails on at its start are refused
 * here.
 */
const DOCUMENTED: Readonly<Record<string, Documented>> = {
  'websocket.url': {
    takes: ['ws://h', 'wss://h:9443/p?token=x', 'WSS://H', ' ws://h ', 'ws://u:p@h/', 'ws://a_b/', 'ws://[::1]:80/'],
    refuses: [
      [undefined, missing('websocket.url'), url(null, 'WebSocket URL cannot be null')],
      ['', url('', 'WebSocket URL cannot be empty')],
      ['  ', url('', 'WebSocket URL cannot be empty')],
      ['example.com/ws', url('example.com/ws', 'WebSocket URL must have a scheme (ws:// or wss://)')],
      ['http://x', url('http://x', 'WebSocket URL must use ws:// or wss:// scheme, got: http')],
      ['ws:///p', url('ws:///p', 'WebSocket URL must have a valid host')],
      ['ws://', url('ws://', 'WebSocket URL must have a valid host')],
      ['ws:// bad', url('ws:// bad', 'WebSocket URL must have a valid host and port')],
      ['ws://h:99999/x', url('ws://h:99999/x', 'WebSocket URL must have a valid host and port')],
    ],
  },
  'kafka.topic': {
    takes: ['binance-trades', 'a.b_C-9'],
    refuses: [
      [undefined, missing('kafka.topic')],
      ['', invalid('kafka.topic', '', 'Topic name is invalid: the empty string is not allowed')],
      [
        'a b',
        invalid(
          'kafka.topic',
          'a b',
          "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
        ),
      ],
    ],
  },
  'websocket.subscription.message': { default: null, takes: ['', 'SUBSCRIBE all', '{"not":"checked"'] },
  'websocket.reconnect.enabled': {
    default: true,
    takes: ['true', 'FALSE', ' true '],
    refuses: [noBoolean('websocket.reconnect.enabled')],
  },
  'websocket.reconnect.interval.ms': {
    default: 5000,
    takes: ['0', '-1', '3000', '5000  # base'],
    refuses: [noNumber('websocket.reconnect.interval.ms', 'LONG')],
  },
  'websocket.headers': {
    default: null,
    takes: ['X-API-Key:your-key,X-API-Secret:your-secret', 'A:"b,c"', ''],
    refuses: [
      ['no colon', invalid('websocket.headers', '[hidden]', 'Expected key:value pairs parted by commas, but entry 1 has no colon')], // prettier-ignore
    ],
  },
  'websocket.auth.token': { default: null, takes: ['', 'your-api-token'] },
  'websocket.message.queue.size': {
    default: 10_000,
    takes: ['1', '50000'],
    refuses: [
      noNumber('websocket.message.queue.size', 'INT'),
      atLeast('websocket.message.queue.size', '0', 1),
      atLeast('websocket.message.queue.size', '-5', 1),
    ],
  },
  'websocket.connection.timeout.ms': {
    default: 30_000,
    takes: ['0', '90000'],
    refuses: [noNumber('websocket.connection.timeout.ms', 'LONG'), atLeast('websocket.connection.timeout.ms', '-1', 0)],
  },
  'websocket.reconnect.max.attempts': {
    default: -1,
    takes: ['0', '10', '-1  # infinite retries'],
    refuses: [noNumber('websocket.reconnect.max.attempts', 'INT')],
  },
  'websocket.reconnect.backoff.max.ms': {
    default: 60_000,
    takes: ['0', '-1', '10000'],
    refuses: [noNumber('websocket.reconnect.backoff.max.ms', 'LONG')],
  },
}

describe("the JVM connector's keys", () => {
  for (const [key, { default: fallback, takes, refuses = [] }] of Object.entries(DOCUMENTED)) {
    test(`${key} has the documented default and accepts valid values`, () => {
      const spec = websocketSpec.data.keys[key]
      assert.deepEqual(spec?.default, fallback)
      for (const value of takes) assert.deepEqual(errorsOf(key, value), [], value)
    })
    for (const [value, ...errors] of refuses) {
      test(`${key} reports what is wrong with ${JSON.stringify(value)}`, () => {
        assert.deepEqual(errorsOf(key, value), errors)
      })
    }
  }

  test('have the documented types and importance', () => {
    const found = Object.keys(DOCUMENTED).map((key) => {
      const { type, importance } = websocketSpec.data.keys[key]!
      return [key, type.toUpperCase(), importance.toUpperCase()].join(' ')
    })
    assert.deepEqual(found, [
      'websocket.url STRING HIGH',
      'kafka.topic STRING HIGH',
      'websocket.subscription.message STRING MEDIUM',
      'websocket.reconnect.enabled BOOLEAN MEDIUM',
      'websocket.reconnect.interval.ms LONG MEDIUM',
      'websocket.headers STRING LOW',
      'websocket.auth.token PASSWORD MEDIUM',
      'websocket.message.queue.size INT LOW',
      'websocket.connection.timeout.ms LONG LOW',
      'websocket.reconnect.max.attempts INT MEDIUM',
      'websocket.reconnect.backoff.max.ms LONG MEDIUM',
    ])
  })
})

test('the examples of all keys together are a valid configuration', () => {
  const examples = Object.entries(websocketSpec.data.keys).flatMap(([key, { example }]) => example ? [[key, example]] : []) // prettier-ignore
  const props = {
    ...(Object.fromEntries(examples) as Record<string, string>),
    'websocket.signature.key': 'k',
    'websocket.auth.message': websocketSpec.data.keys['websocket.auth.message']!.example!.replace(
      '${env:API_KEY}',
      'k',
    ),
  }
  compileProtocol(parseConfig(websocketSpec, props), props)
})

describe('the further keys', () => {
  test('are all optional', () => {
    assert.equal(websocketSpec.validate(BASE).errorCount, 0)
  })

  test('for additional URLs are checked like the first URL', () => {
    const key = 'websocket.additional.urls'
    assert.deepEqual(errorsOf(key, 'ws://b, wss://c:9443/x'), [])
    assert.equal(errorsOf(key, 'ws://b,http://c').length, 1)
  })

  test('with secrets hide their values', () => {
    const secrets = ['websocket.headers', 'websocket.auth.token', 'websocket.proxy.url', 'backfill.headers']
    for (const [key, { type, sensitive }] of Object.entries(websocketSpec.data.keys)) {
      if (secrets.includes(key) || /password|secret|signature\.key$/.test(key)) {
        assert.ok(type === 'password' || sensitive || key.endsWith('encoding'), key)
      }
    }
  })

  for (const [key, values] of Object.entries({
    'key.field': ['a..b', '.a', 'a.', ''],
    'split.field': ['$.', '$..a'],
    'timestamp.unit': ['h'],
    'topic.template.max.topics': ['0'],
    'record.headers': ['url,query'],
    'websocket.binary.decode': ['brotli'],
  })) {
    for (const value of values) {
      test(`${key} is not ${JSON.stringify(value)}`, () => assert.equal(errorsOf(key, value).length, 1))
    }
  }
})
