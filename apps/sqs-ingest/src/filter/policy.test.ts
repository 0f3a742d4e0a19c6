import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import type { MessageAttribute } from '../message.ts'
import { parsePolicy, type PolicyScope } from './policy.ts'

type Attributes = Readonly<Record<string, MessageAttribute>>
const KEY = 'sqs.message.filter.policy'

const text = (stringValue: string, dataType = 'String'): MessageAttribute => ({ dataType, stringValue })
const number = (stringValue: string): MessageAttribute => text(stringValue, 'Number')
const array = (...values: unknown[]): MessageAttribute => text(JSON.stringify(values), 'String.Array')

const parse = (policy: unknown, scope: PolicyScope = 'MessageAttributes', quotas = true) =>
  parsePolicy(typeof policy === 'string' ? policy : JSON.stringify(policy), { scope, key: KEY, quotas })
const onAttributes = (policy: unknown, attributes: Attributes) => parse(policy).matches({ body: '', attributes })
const onBody = (policy: unknown, body: unknown) =>
  parse(policy, 'MessageBody').matches({ body: typeof body === 'string' ? body : JSON.stringify(body), attributes: {} })

describe('a filter policy on attributes', () => {
  const cases: [
    name: string,
    conditions: unknown[],
    matching: MessageAttribute[],
    others: (MessageAttribute | null)[],
  ][] = [
    [
      'strings',
      ['rugby', 'tennis'],
      [text('rugby'), text('tennis'), array('golf', 'rugby')],
      [text('Rugby'), text(''), array('golf'), null],
    ],
    [
      'numbers as numbers',
      [100],
      [number('100'), number('100.0'), number('1e2'), text(' 100 '), array(1, 100)],
      [number('100.1'), text('x100'), null],
    ],
    ['a number as a text, as the JVM connector', ['100'], [number('100'), text('100')], [number('100.0')]],
    ['true, false and null', [true, null], [array(true), array(null)], [array(false), text('true'), null]],
    ['prefix', [{ prefix: 'a' }], [text('a'), text('ab'), array('b', 'ab')], [text('ba'), text(''), null]],
    ['suffix', [{ suffix: '.png' }], [text('x.png'), text('.png')], [text('x.PNG'), text('png'), null]],
    ['wildcard', [{ wildcard: 'a*b*c' }], [text('abc'), text('aXbYc'), text('abbc')], [text('ac'), text('abcd'), null]],
    ['wildcard at the ends', [{ wildcard: '*lib*' }], [text('lib'), text('/lib/x')], [text('li')]],
    ['wildcard with escapes', [{ wildcard: 'a\\*\\\\*' }], [text('a*\\'), text('a*\\z')], [text('ab\\')]],
    ['wildcard whose parts overlap', [{ wildcard: 'a*b*b' }], [text('abb'), text('axbxb')], [text('ab'), text('aab')]],
    ['wildcard whose ends overlap', [{ wildcard: 'aba*aba' }], [text('abaaba')], [text('aba'), text('ababa')]],
    [
      'equals-ignore-case',
      [{ 'equals-ignore-case': 'TenniS' }],
      [text('tennis'), text('TENNIS')],
      [text('tennis '), null],
    ],
    [
      'exists',
      [{ exists: true }],
      [text(''), number('1'), array(), { dataType: 'Binary', binaryValue: Buffer.from('x') }],
      [null],
    ],
    ['exists: false, or a value', ['a', { exists: false }], [text('a')], [text('b')]],
    [
      'numeric =',
      [{ numeric: ['=', 301.5] }],
      [number('301.5'), number('3.015e2'), number('301.50')],
      [number('301'), null],
    ],
    [
      'numeric range',
      [{ numeric: ['>', 0, '<=', 150] }],
      [number('150'), number('0.1')],
      [number('0'), number('150.1'), text('x'), null],
    ],
    ['numeric == and !=, as the JVM connector', [{ numeric: ['!=', 1] }], [number('2')], [number('1.0'), null]],
    [
      'anything-but',
      [{ 'anything-but': ['rugby', 1] }],
      [text('tennis'), array('rugby', 'tennis'), number('2')],
      [text('rugby'), array('rugby'), number('1.0'), { dataType: 'Binary', binaryValue: Buffer.from('x') }, null],
    ],
    ['anything-but prefix', [{ 'anything-but': { prefix: ['a', 'b'] } }], [text('ca')], [text('ab'), text('b'), null]],
    ['anything-but suffix', [{ 'anything-but': { suffix: 'a' } }], [text('ab')], [text('ba'), null]],
    [
      'anything-but wildcard',
      [{ 'anything-but': { wildcard: '*/lib/*' } }],
      [text('/usr')],
      [text('/usr/lib/x'), null],
    ],
    [
      'anything-but equals-ignore-case',
      [{ 'anything-but': { 'equals-ignore-case': ['A', 'b'] } }],
      [text('c')],
      [text('a'), text('B'), null],
    ],
    [
      'cidr of IPv4',
      [{ cidr: '10.0.0.7/24' }],
      [text('10.0.0.255')],
      [text('10.0.1.0'), text('10.0.0'), text('::1'), null],
    ],
    [
      'cidr of IPv6',
      [{ cidr: '2001:db8::/32' }],
      [text('2001:db8:1::1')],
      [text('2001:db9::1'), text('fe80::1%eth0'), text('10.0.0.1')],
    ],
    ['operators in any case', [{ Prefix: 'a' }, { NUMERIC: ['>', 1] }], [text('ab'), number('2')], [text('b')]],
  ]
  for (const [name, conditions, matching, others] of cases) {
    test(name, () => {
      for (const a of matching) assert.equal(onAttributes({ a: conditions }, { a }), true, JSON.stringify(a))
      for (const a of others) assert.equal(onAttributes({ a: conditions }, a ? { a } : {}), false, JSON.stringify(a))
    })
  }

  test('compares integers beyond 2^53 exactly', () => {
    const policy = parse('{"a":[9007199254740993]}')
    assert.equal(policy.matches({ body: '', attributes: { a: number('9007199254740993') } }), true)
    assert.equal(policy.matches({ body: '', attributes: { a: number('9007199254740992') } }), false)
  })

  test('needs all names, and one of the alternatives of $or', () => {
    const policy = { a: ['1'], $or: [{ b: ['1'] }, { c: ['1'], $or: [{ d: ['1'] }, { e: [{ exists: false }] }] }] }
    const one = text('1')
    assert.equal(onAttributes(policy, { a: one, b: one }), true)
    assert.equal(onAttributes(policy, { a: one, c: one }), true)
    assert.equal(onAttributes(policy, { a: one, c: one, e: one }), false)
    assert.equal(onAttributes(policy, { a: one, c: one, d: one, e: one }), true)
    assert.equal(onAttributes(policy, { a: one }), false)
    assert.equal(onAttributes(policy, { b: one }), false)
    assert.deepEqual(parse(policy).attributeNames, ['a', 'b', 'c', 'd', 'e'])
  })

  test('takes a dot in a name as part of the name, and nothing from the prototype of an object', () => {
    assert.equal(onAttributes({ 'a.b': ['1'] }, { 'a.b': text('1') }), true)
    assert.equal(onAttributes({ constructor: [{ exists: true }] }, {}), false)
    assert.equal(onAttributes('{"__proto__":[{"exists":false}]}', {}), true)
  })

  test('matches everything when it is empty', () => assert.equal(onAttributes({}, {}), true))
})

describe('a filter policy on the body', () => {
  test('looks into objects, and needs an object', () => {
    const policy = {
      object: { key: [{ prefix: 'auto-' }, 'exact'], other: [{ exists: false }] },
      test: [{ exists: false }],
    }
    assert.equal(onBody(policy, { object: { key: 'auto-1' } }), true)
    assert.equal(onBody(policy, { object: { key: 'exact' } }), true)
    for (const body of [
      { object: { key: 'x' } },
      { object: { key: 'auto-1', other: null } },
      { object: { key: 'auto-1' }, test: 1 },
      { key: 'auto-1' },
      'no JSON',
      '"auto-1"',
      '[{"object":{"key":"auto-1"}}]',
      '',
    ]) {
      assert.equal(onBody(policy, body), false, JSON.stringify(body))
    }
  })

  test('keeps the types of JSON', () => {
    assert.equal(onBody({ a: [100] }, { a: 100.0 }), true)
    assert.equal(onBody({ a: [100] }, { a: '100' }), false)
    assert.equal(onBody({ a: ['100'] }, { a: 100 }), false)
    assert.equal(onBody({ a: [null] }, { a: null }), true)
    assert.equal(onBody({ a: [null] }, {}), false)
    assert.equal(onBody({ a: [true] }, { a: true }), true)
    assert.equal(onBody({ a: [{ 'anything-but': 'x' }] }, { a: null }), true)
    assert.equal(onBody('{"a":[9007199254740993]}', '{"a":9007199254740993}'), true)
    assert.equal(onBody('{"a":[9007199254740993]}', '{"a":9007199254740992}'), false)
  })

  test('exists looks at values, not at objects', () => {
    assert.equal(onBody({ a: [{ exists: true }] }, { a: { b: 1 } }), false)
    assert.equal(onBody({ a: [{ exists: false }] }, { a: { b: 1 } }), true)
    assert.equal(onBody({ a: { b: [{ exists: false }] } }, {}), true)
    assert.equal(onBody({ a: [{ exists: true }] }, { a: [] }), false)
  })

  test('an array matches by one of its elements, and all conditions by the same one', () => {
    const policy = {
      Records: { s3: { object: { key: [{ prefix: 'auto-' }] } }, eventName: [{ prefix: 'ObjectCreated:' }] },
    }
    const record = (eventName: string, key: string) => ({ eventName, s3: { object: [[{ key }]] } })
    assert.equal(
      onBody(policy, { Records: [record('ObjectRemoved:x', 'b'), record('ObjectCreated:Put', 'auto-1')] }),
      true,
    )
    assert.equal(
      onBody(policy, { Records: [record('ObjectCreated:Put', 'b'), record('ObjectRemoved:x', 'auto-1')] }),
      false,
    )
    assert.equal(onBody({ to: ['a'] }, { to: [['b'], ['a', 'c']] }), true)
  })

  test('reads dots in names as SNS does: as a path, in the policy and in the body', () => {
    for (const body of [{ a: { b: { c: 'x' } } }, { 'a.b.c': 'x' }, { 'a.b': { c: 'x' } }, { a: { 'b.c': 'x' } }]) {
      assert.equal(onBody({ 'a.b.c': ['x'] }, body), true, JSON.stringify(body))
      assert.equal(onBody({ a: { b: { c: ['x'] } } }, body), true, JSON.stringify(body))
    }
    assert.equal(onBody({ 'a.c': [{ exists: false }] }, { a: { b: 1 }, 'a.c': 2 }), false)
  })

  test('$or stands at any depth', () => {
    const policy = { $or: [{ m: ['a'] }, { n: ['b'] }], detail: { scope: ['s'], $or: [{ x: ['1'] }, { y: ['2'] }] } }
    assert.equal(onBody(policy, { m: 'a', detail: { scope: 's', y: '2' } }), true)
    assert.equal(onBody(policy, { n: 'b', detail: { scope: 's', x: '1' } }), true)
    assert.equal(onBody(policy, { n: 'b', detail: { scope: 's' } }), false)
    assert.equal(onBody(policy, { detail: { scope: 's', x: '1' } }), false)
  })
})

/** The rows of sns-filter-cases.py. */
interface OracleCase {
  readonly scope: PolicyScope
  readonly policy: unknown
  readonly attributes?: Readonly<Record<string, { readonly Type: string; readonly Value: string }>>
  readonly body?: unknown
  readonly matches: boolean
}

test('agrees with moto', () => {
  const lines = readFileSync(new URL('../../test/sns-filter-cases.jsonl', import.meta.url), 'utf8')
    .trim()
    .split('\n')
  for (const line of lines) {
    const { scope, policy, attributes = {}, body, matches } = JSON.parse(line) as OracleCase
    const given = Object.entries(attributes).map(([name, { Type, Value }]) => [name, text(Value, Type)] as const)
    const message = { body: JSON.stringify(body ?? null), attributes: Object.fromEntries(given) }
    assert.equal(parse(policy, scope, false).matches(message), matches, line)
  }
  assert.equal(lines.length, 360)
})

describe('a filter policy that is none', () => {
  const cases: [policy: unknown, message: RegExp, scope?: PolicyScope][] = [
    ['{"a":["b"}', /^Filter policy must be valid JSON object: .*position|^Filter policy must be valid JSON object: /],
    ['["a"]', /^Filter policy must be valid JSON object, as/],
    ['{"a":["b"],"a":["c"]}', /"a" comes twice in one object/],
    ['{"a":["b"],"\\u0061":["c"]}', /"a" comes twice in one object/],
    ['{"a":[1e999]}', /must be valid JSON object: number out of range/],
    [{ a: 'b' }, /^Filter policy: a must be a list of conditions/],
    [{ a: [] }, /^Filter policy: a is an empty list/],
    [
      { a: [['b']] },
      /^Filter policy: a\[0\] must be a string, a number, true, false, null or an object with one operator, but is \["b"\]/,
    ],
    [{ a: ['b', {}] }, /^Filter policy: a\[1\] is an empty object/],
    [
      { a: [{ prefix: 'a', suffix: 'b' }] },
      /^Filter policy: a\[0\] names 2 operators; write each as an element of its own/,
    ],
    [
      { a: [{ beginsWith: 'a' }] },
      /^Filter policy: a\[0\]\.beginsWith is no operator of a filter policy; there are prefix/,
    ],
    [{ a: [{ prefix: 100 }] }, /^Filter policy: a\[0\]\.prefix must be a string, but is 100/],
    [{ a: [{ suffix: null }] }, /suffix must be a string, but is null/],
    [{ a: [{ exists: 'no' }] }, /exists must be true or false, but is "no"/],
    [{ a: [{ wildcard: 'a**' }] }, /wildcard has two \* side by side: "a\*\*"/],
    [{ a: [{ wildcard: 'a\\b' }] }, /wildcard has a \\ that is not followed by/],
    [{ a: [{ cidr: '10.0.0.0' }] }, /cidr must be an address, one \/ and the number of bits/],
    [{ a: [{ cidr: '10.0.0/8' }] }, /cidr has no IP address before/],
    [{ a: [{ cidr: '10.0.0.0/33' }] }, /cidr must have 0 to 32 bits/],
    [{ a: [{ cidr: '::/x' }] }, /cidr must have 0 to 128 bits/],
    [{ a: [{ 'anything-but': [] }] }, /anything-but is an empty list/],
    [{ a: [{ 'anything-but': [['b']] }] }, /anything-but\[0\] must be a string or a number/],
    [{ a: [{ 'anything-but': null }] }, /anything-but must be a string or a number, but is null/],
    [
      { a: [{ 'anything-but': { exists: false } }] },
      /anything-but\.exists cannot stand in anything-but; prefix, suffix/,
    ],
    [{ a: [{ 'anything-but': { prefix: [1] } }] }, /anything-but\.prefix\[0\] must be a string, but is 1/],
    [{ a: [{ numeric: [] }] }, /numeric must be a list such as/],
    [{ a: [{ numeric: ['>='] }] }, /numeric must be a list such as/],
    [{ a: [{ numeric: [1, '<='] }] }, /numeric\[0\] must be one of = == != .* but is 1/],
    [{ a: [{ numeric: ['=', '000'] }] }, /numeric\[1\] must be a number, but is "000"/],
    [
      { a: [{ numeric: ['<', 100, '>', 10] }] },
      /numeric\[0\] must be > or >= where a second operator follows, but is "<"/,
    ],
    [{ a: [{ numeric: ['>=', 1, '>', 2] }] }, /numeric\[2\] must be < or <= behind ">=", but is ">"/],
    [{ a: [{ numeric: ['>', 3, '<', 1] }] }, /numeric is empty: 3 must be less than 1/],
    [{ a: [{ numeric: ['>', 20, 30] }] }, /numeric must have one or two operators/],
    [{ a: [{ numeric: ['>', 20, '<', 30, '<', 50] }] }, /numeric must have one or two operators/],
    [{ $or: [{ a: ['b'] }] }, /\$or must be a list of at least two objects/],
    [{ $or: [{ a: ['b'] }, 'c'] }, /\$or\[1\] must be an object with names/],
    [{ $or: [{ a: ['b'] }, { c: [{ x: 1 }] }] }, /\$or\[1\]\.c\[0\]\.x is no operator/],
    [{ a: { b: ['c'] } }, /^Filter policy: a must be a list; .*sqs\.message\.filter\.policy\.scope=MessageBody/],
    [{ a: { b: {} } }, /^Filter policy: a\.b is an empty object/, 'MessageBody'],
    [{ a: { b: 'c' } }, /^Filter policy: a\.b must be a list of conditions/, 'MessageBody'],
    [
      { a: Array.from({ length: 151 }, String) },
      /too complex: its lists make 151 combinations of values; Amazon SNS allows 150/,
    ],
    [{ a: Array.from({ length: 100 }, String), b: ['1', '2'] }, /make 200 combinations/],
    [
      { a: { b: { c: ['1', '2', '3', '4'] } }, d: { e: ['1', '2', '3'] }, f: ['1', '2', '3'] },
      /make 216 combinations/,
      'MessageBody',
    ],
    [{ a: ['1'], b: ['1'], c: ['1'], d: ['1'], e: ['1'], f: ['1'] }, /has 6 names; Amazon SNS allows 5/],
    [`{"a":["${'x'.repeat(256 * 1024)}"]}`, /must have at most 262144 bytes/],
  ]
  for (const [policy, message, scope] of cases) {
    test(`says ${String(message).slice(1, 60)}`, () => {
      assert.throws(() => parse(policy, scope), { code: 'SQS_FILTER_POLICY', kind: 'config', field: KEY, message })
    })
  }

  test('adds the combinations of $or as SNS does', () => {
    const list = (length: number) => Array.from({ length }, String)
    const policy = (spaceIds: number) => ({
      source: list(3),
      $or: [
        { metricName: list(6) },
        { metricType: list(4), $or: [{ metricId: list(4) }, { spaceId: list(spaceIds) }] },
      ],
    })
    parse(policy(7)) // 3 × 6 + 3 × 4 × 4 + 3 × 4 × 7 = 150
    assert.throws(() => parse(policy(8)), /make 162 combinations/)
  })

  test('has no quotas where none are asked for, as the JVM connector had none', () => {
    const names = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`n${i}`, ['x', 'y']]))
    assert.equal(parse(names, 'MessageAttributes', false).attributeNames.length, 200)
  })
})
