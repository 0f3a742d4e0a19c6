import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkValue } from './check-value.ts'
import type { Validator } from './spec.ts'

/** Each validator: values that pass, and values that fail with the text of their error. */
const cases: { validator: Validator; pass: (string | number)[]; fail: [string | number, string][] }[] = [
  {
    validator: { kind: 'topicName' },
    pass: ['a', 'A.b_c-1', 'x'.repeat(249), 'order-status', 'reconnect-status', 'cluster-configs', 'mm2-heartbeats'],
    fail: [
      ['__consumer_offsets', "'__consumer_offsets' is an internal topic of Kafka. Choose another topic"],
      ...[
        'connect-configs',
        'a_connect_offsets',
        'a.connect.status',
        'my-connect-cluster-configs',
        'connect-cluster-status',
        'mirrormaker2-cluster-offsets',
        'mm2-configs.eu.internal',
      ].map((name): [string, string] => [
        name,
        `'${name}' is an internal topic of a Connect cluster. Choose another topic`,
      ]),
      ['', 'Topic name is invalid: the empty string is not allowed'],
      ['..', "Topic name is invalid: '..' is not allowed"],
      [
        'a b',
        "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
      ],
      [
        'x'.repeat(250),
        `Topic name is invalid: the length of '${'x'.repeat(250)}' is longer than the max allowed length 249`,
      ],
    ],
  },
  {
    validator: { kind: 'topicName', orBlank: true },
    pass: ['', ' ', 'a'],
    fail: [['__a', "'__a' is an internal topic of Kafka. Choose another topic"]],
  },
  {
    validator: { kind: 'url', schemes: ['ws', 'wss'], label: 'WebSocket URL' },
    pass: ['ws://h', 'WSS://user:p@h:1/x?y=1', 'ws://a_b/', 'ws://[::1]:80/'],
    fail: [
      ['', 'WebSocket URL cannot be empty'],
      ['example.com/ws', 'WebSocket URL must have a scheme (ws:// or wss://)'],
      ['http://x', 'WebSocket URL must use ws:// or wss:// scheme, got: http'],
      ['ws:///p', 'WebSocket URL must have a valid host'],
      ['ws://', 'WebSocket URL must have a valid host'],
      ['ws://h:99999/x', 'WebSocket URL must have a valid host and port'],
    ],
  },
  {
    validator: { kind: 'json', shape: 'object' },
    pass: ['', '{}', '{"a":[1,{"b":12345678901234567890}]}'],
    fail: [
      ['{secret', 'Value is not valid JSON'],
      ['[1]', 'Value must be a JSON object'],
      ['null', 'Value must be a JSON object'],
      ['['.repeat(5000), 'Value is not valid JSON'],
    ],
  },
  {
    validator: { kind: 'keyValueList' },
    pass: ['', 'a:1,b:2', 'a:"x,y",b:', ' , '],
    fail: [
      ['a', 'Expected key:value pairs parted by commas, but entry 1 has no colon'],
      ['a:1,:2', 'Expected key:value pairs parted by commas, but entry 2 has no key'],
      ['a:"x', 'Expected key:value pairs parted by commas, but the quoted value of "a" does not end'],
    ],
  },
  {
    validator: { kind: 'range', min: 1, max: 9, message: 'Invalid port number' },
    pass: [1, 9],
    fail: [
      [0, 'Invalid port number'],
      [10, 'Invalid port number'],
      [NaN, 'Invalid port number'],
    ],
  },
  {
    validator: { kind: 'all', of: [{ kind: 'nonEmpty' }, { kind: 'pattern', regex: '^a+$', message: 'only a' }] },
    pass: ['a'],
    fail: [
      ['', 'String may not be empty'],
      ['ab', 'only a'],
    ],
  },
]

for (const { validator, pass, fail } of cases) {
  test(`validator ${validator.kind}`, () => {
    for (const value of pass) assert.equal(checkValue(validator, value), null, String(value))
    for (const [value, reason] of fail) assert.equal(checkValue(validator, value), reason)
  })
}

test('each element of a list is checked, and an empty list is empty', () => {
  assert.equal(checkValue({ kind: 'oneOf', values: ['a'] }, ['a', 'b']), 'String must be one of: a')
  assert.equal(checkValue({ kind: 'nonEmpty' }, []), 'List may not be empty')
})
