import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { describe, it } from 'node:test'
import { type ConnectRecord, Decimal, type Schema } from '@tributary/connect-api'
import { compileExpression, type ResultType } from './expression.ts'

const RECORD: ConnectRecord = {
  topic: 'orders',
  partition: 3,
  key: { id: 7 },
  value: {
    type: 'trade',
    price: 150.5,
    count: 5,
    big: 2n ** 60n,
    ok: true,
    nothing: null,
    amount: new Decimal(1250n, 2),
    at: new Date('2026-01-02T03:04:05Z'),
    bytes: Buffer.from('hé'),
    items: [
      { sku: 'a', qty: 1 },
      { sku: 'b', qty: 6 },
    ],
    after: { id: 1, 'a.b': 'dotted' },
    text: '{"side":"buy","id":9007199254740993}',
  },
  headers: [
    { name: 'trace', value: 'old' },
    { name: 'trace', value: 'new' },
  ],
  timestamp: Date.UTC(2026, 0, 1),
}

function evaluate(source: string, record: Partial<ConnectRecord> = {}, result: ResultType = 'any'): unknown {
  return compileExpression(source, 'condition', result).evaluate({ ...RECORD, ...record })
}

describe('expressions', () => {
  for (const [source, expected] of [
    ['topic == "orders" && partition == 3', true],
    ['value.type in ["trade", "quote"]', true],
    ['value.type.matches("^tr[a-z]+$")', true],
    ['value["after"]["a.b"]', 'dotted'],
    ['key.id + 1 == 8', true],
    ['value.price + 1 == 151.5', true],
    ['value.price > 150 && value.price < 151', true],
    ['value.count % 2', 1],
    ['value.count / 2', 2.5],
    ['int(value.count) / 2', 2n],
    ['7 / 2', 3n],
    ['-7 % 3', -1n],
    ['value.big + 1', 2n ** 60n + 1n],
    ['value.big + value.count', 2n ** 60n + 5n],
    ['value.big > value.price', true],
    ['-value.big', -(2n ** 60n)],
    ['1 == 1.0 && 1u == 1', true],
    ['value.amount >= 12.5 && string(value.amount) == "12.50"', true],
    ['has(value.type) && !has(value.absent)', true],
    // Null is not there, and nothing fails on the way.
    ['has(value.nothing) || has(value.absent.more.still)', false],
    ['value.nothing == null', true],
    ['value.ok ? "yes" : "no"', 'yes'],
    // The failed side is not needed.
    ['value.absent == 1 || topic == "orders"', true],
    ['value.absent == 1 && topic == "other"', false],
    ['headers["trace"] + "/" + headers.trace', 'new/new'],
    ['"absent" in headers', false],
    ['timestamp < timestamp("2026-01-01T00:00:01Z")', true],
    ['value.at - timestamp > duration("24h")', true],
    ['value.at.getHours() == 3 && value.at.getDayOfWeek() == 5 && value.at.getDayOfYear() == 1', true],
    ['string(value.at + duration("1m30s"))', '2026-01-02T03:05:35Z'],
    ['duration("1.5s") == duration("1500ms")', true],
    ['value.bytes == b"h\\303\\251" && size(value.bytes) == 3 && string(value.bytes) == "hé"', true],
    ['size("hé😀") == 3 && value.items.size() == 2 && size(value.after) == 2', true],
    ['value.items.exists(i, i.qty > 5) && value.items.all(i, i.qty > 0)', true],
    ['value.items.exists_one(i, i.sku == "a")', true],
    ['value.items.map(i, i.qty * 2)', [2, 12]],
    ['value.items.map(i, i.qty > 5, i.sku) == ["b"]', true],
    ['value.items.filter(i, i.sku == topic || i.qty == 1).size()', 1n],
    ['value.items.exists(i, value.items.exists(j, i.qty + j.qty == 7))', true],
    ['value.after.all(k, k.size() >= 2)', true],
    ['{"a": [1, 2]} == {"a": [1.0, 2]}', true],
    ['"A-b".lowerAscii() + " c ".trim().upperAscii()', 'a-bC'],
    ['"@AZ[É😀ŁK".lowerAscii() + "`az{é😀ſ".upperAscii()', '@az[É😀Łk`AZ{é😀ſ'],
    ['"a,b,c".split(",").join("+").replace("+", "--").substring(1, 4)', '--b'],
    ['"abc".indexOf("c") == 2 && "abc".contains("b") && "abc".endsWith("c")', true],
    ['json(value.text).side == "buy" && json(value.text).id == 9007199254740993', true],
    ['int("42") + int(4.9)', 46n],
    ['double("1e3") + 0.5', 1000.5],
    ['bool("true")', true],
    ['value.items[1].sku', 'b'],
  ] as const) {
    it(source, () => {
      assert.deepEqual(evaluate(source), expected)
    })
  }

  for (const [source, reason] of [
    ['value.absent', 'no such key: absent'],
    ['value.nothing.id', 'no such key: id, as the value is null'],
    ['value.constructor', 'no such key: constructor'],
    ['value.__proto__', 'no such key: __proto__'],
    ['value.items[2]', 'no such key: 2'],
    ['value.type + 1', 'no such overload: string + int'],
    ['value.type < 1', 'no such overload: string < int'],
    ['!value.type', '! needs true or false, not a value of the type string'],
    ['value.price % 2', 'no such overload: double % double'],
    ['1 / (1 - 1)', 'divide by zero'],
    ['9223372036854775807 + 1', 'integer overflow'],
    ['timestamp(value.type)', 'invalid timestamp: trade'],
    ['json(value.type)', 'json(): the text is not JSON'],
    ['value.items.all(i, i.qty)', 'all() needs a condition that is true or false'],
  ] as const) {
    it(`gives a data error: ${source}`, () => {
      assert.throws(() => evaluate(source), {
        name: 'DataError',
        code: 'EXPRESSION_FAILED',
        message: `the expression ${source} failed on this record: ${reason}`,
      })
    })
  }

  for (const [source, reason] of [
    ['value.a ==', /at character 11: Unexpected token: EOF/],
    ['value.a = 1', /at character 9: /],
    ['vlaue.a == 1', /at character 1: there is no variable vlaue; the variables are topic, key, value/],
    ['topic == "a" && size(1, 2) == 1', /at character 17: size\(\) takes 1 arguments, not 2/],
    ['topic.foo()', /there is no function x\.foo\(\); there are x\.size\(\), x\.contains\(\)/],
    ['topic.constructor()', /there is no function/],
    ['toString() == 1', /there is no function toString\(\)/],
    ['topic.matches("a(?=b)")', /at character 15: /],
    ['topic.matches(value.pattern)', /written as a text in quotes/],
    ['has(topic)', /has\(\) takes one field/],
    ['topic + "x"', null],
    ['"x"', /it must give true or false/],
    [`${'('.repeat(100)}true${')'.repeat(100)}`, /maxDepth/],
    [Array.from({ length: 400 }, () => 'topic == "a"').join(' || '), /maxDepth|maxAstNodes/],
    [' '.repeat(10_001), /it has 10001 characters, of which 10000 are allowed/],
  ] as const) {
    it(`gives a config error with the place: ${source.slice(0, 40)}`, () => {
      const compile = (): unknown => compileExpression(source, 'condition', 'bool')
      if (reason === null) assert.doesNotThrow(compile)
      else
        assert.throws(compile, { name: 'ConfigError', code: 'EXPRESSION_INVALID', field: 'condition', message: reason })
    })
  }

  it('reads a field that the schema has and the struct lacks as its default or null', () => {
    const valueSchema: Schema = {
      type: 'struct',
      fields: [
        { name: 'kind', schema: { type: 'string', optional: true, default: 'none' } },
        { name: 'note', schema: { type: 'string', optional: true } },
      ],
    }
    const record = { value: {}, valueSchema }
    assert.equal(evaluate('value.kind == "none" && value.note == null', record), true)
    assert.throws(() => evaluate('value.other', record), /no such key: other/)
    assert.equal(evaluate('valueSchema.type', record), 'struct')
  })

  it('reads maps with keys of any type', () => {
    const value = new Map<unknown, unknown>([
      [1, 'one'],
      [2n, 'two'],
      ['k', null],
    ])
    assert.equal(evaluate('value[1] + value[2]', { value }), 'onetwo')
    assert.equal(evaluate('value["k"] == null && !(3 in value)', { value }), true)
  })

  it('takes texts, numbers and booleans as keys of maps', () => {
    assert.equal(evaluate('uuid({value.type: 1, value.count: 2, true: 3, 4: 5}) != ""'), true)
    // JSON may have this object, of which JavaScript can make no text.
    const value = { odd: { toString: 1, valueOf: 1 } }
    assert.throws(() => evaluate('uuid({value.odd: 1})', { value }), { message: /unsupported key type: map$/ })
  })

  it('makes the same UUID of the same content', () => {
    const uuid = evaluate('uuid(key, value.items)') as string
    assert.match(uuid, /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.equal(evaluate('uuid({"id": 7}, value.items)'), uuid)
    assert.equal(evaluate('uuid({"a": 1, "b": [1.5, null]}) == uuid({"b": [1.5, null], "a": 1.0})'), true)
    const others = [
      'uuid(key)',
      'uuid([key, value.items])',
      'uuid(value.items, key)',
      'uuid("1")',
      'uuid(1)',
      'uuid(["1", "2"])',
      'uuid("1", "2", null)',
    ]
    assert.equal(new Set([uuid, ...others.map((source) => evaluate(source))]).size, 8)
  })

  it('shows no part of a long expression in errors, as that may be a part of a secret', () => {
    const message = 'the expression of condition failed on this record: no such key: token'
    assert.throws(() => evaluate(`${' '.repeat(180)}value.token == "a very secret text"`), { message })
  })

  it('fails on a time that is none', () => {
    for (const source of ['string(value.at)', 'value.at.getHours()', 'int(value.at)']) {
      assert.throws(() => evaluate(source, { value: { at: new Date(NaN) } }), { name: 'DataError' }, source)
    }
  })

  it('refuses a result of another type', () => {
    assert.throws(() => evaluate('value.type', {}, 'bool'), /it gives a string, not true or false/)
    assert.throws(() => evaluate('value.count', {}, 'string'), /it gives a number, not a text/)
    assert.equal(evaluate('value.nothing', {}, 'string'), null)
  })
})

describe('bounds of expressions', () => {
  const numbers = Array.from({ length: 5000 }, (_, i) => i + 0.5)
  const value = {
    ...{ list: numbers, same: [...numbers], text: 'a'.repeat(100_000), wanted: `b${'a'.repeat(50_000)}` },
    alike: Buffer.alloc(100_000, 'a').toString(),
    decimal: new Decimal(1n << 100_000n, 2),
    tiny: new Decimal(1n, 100_000_000),
    lists: `[${'[],'.repeat(1_000_000)}[]]`,
  }
  const headers = Array.from({ length: 1000 }, (_, i) => ({ name: `h${i}`, value: 'v' }))
  for (const source of [
    'value.list.all(a, value.list.all(b, value.list.all(c, a + b + c > 0)))',
    'value.list.map(a, value.list).map(b, b + b).size() > 0',
    'value.list.all(a, value.list == value.same)',
    'value.list.all(a, !(-1 in value.list))',
    'value.list.all(a, (value.text + value.text).size() > 1)',
    'value.list.map(a, value.text.replace("a", value.text)).size() > 0',
    'value.text.contains(value.wanted)',
    'value.list.exists(a, value.list.exists(b, b))',
    'value.list.all(a, uuid(value.list) != "")',
    'value.list.all(a, value.text.matches("(a|b)*c") == false)',
    'value.list.map(a, json("[1,2,3]")).all(l, value.text.split("a").size() > 1)',
    'value.list.all(a, value.text == value.alike)',
    'value.list.all(a, value.decimal > a)',
    'value.tiny > 0',
    'value.list.all(a, value.list.all(b, headers.h7 == "v"))',
    'json(value.lists) != null',
    '[value.text].map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).map(x, x + x).size() > 0',
  ]) {
    it(`ends: ${source.slice(0, 60)}`, () => {
      assert.throws(() => evaluate(source, { value, headers }), {
        name: 'DataError',
        code: 'EXPRESSION_FAILED',
        message: /it takes more than 500000 steps on this record$/,
      })
    })
  }

  it('takes integers of 64 bits', () => {
    assert.equal(evaluate('-9223372036854775808 < 18446744073709551615u'), true)
    for (const source of ['9'.repeat(5000), `0x${'f'.repeat(5000)}`]) {
      assert.throws(() => evaluate(source), {
        code: 'EXPRESSION_INVALID',
        message: /character 1: an integer has 64 bits/,
      })
    }
  })

  it('takes ten regular expressions', () => {
    const matches = (count: number): string => Array(count).fill('topic.matches("a")').join(' || ')
    assert.equal(evaluate(matches(10)), false)
    assert.throws(() => evaluate(matches(11)), { code: 'EXPRESSION_INVALID', message: /more than 10 regular expr/ })
  })

  it('does not let || hide that a bound was reached', () => {
    assert.throws(() => evaluate('value.list.all(a, value.list == value.same) || true', { value }), /steps/)
  })

  it('compares deep values up to a bound', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])
    assert.equal(evaluate('value.a == value.b', { value: { a: nested(400), b: nested(400) } }), true)
    assert.throws(
      () => evaluate('value.a == value.b', { value: { a: nested(900), b: nested(900) } }),
      /more than 500 levels/,
    )
  })

  it('reads a record of usual size many times within the bound', () => {
    assert.equal(evaluate('value.list.exists(a, a == 4999.5) && value.text.contains("aa")', { value }), true)
  })
})

/** The parser's own evaluator, which has the standard's meaning of everything but numbers of two types. */
describe('expressions beside the evaluator of the parser', () => {
  const { evaluate: reference, check } = createRequire(import.meta.url)('@marcbachmann/cel-js') as {
    evaluate: (source: string, variables: object) => unknown
    check: (source: string) => { readonly valid: boolean }
  }
  const value = { a: 'x', n: 2.5, l: [1.5, 2.5], m: { k: 'v' }, t: true, o: null, items: [{ q: 1.5 }, { q: 2.5 }] }
  const atoms = [
    'value.a',
    '"x"',
    'value.n',
    '2.5',
    'value.l',
    'value.m',
    'value.t',
    'value.o',
    'value.absent',
    'false',
  ]
  const results = (run: () => unknown): string => {
    try {
      return JSON.stringify(run()) ?? 'undefined'
    } catch {
      return 'error'
    }
  }
  it('gives the same result, or an error where it gives one', () => {
    const sources = [
      ...atoms.flatMap((a) => atoms.map((b) => `${a} == ${b}`)),
      ...atoms.flatMap((a) => atoms.map((b) => `${a} && ${b}`)),
      ...atoms.flatMap((a) => atoms.map((b) => `${a} || ${b}`)),
      ...atoms.flatMap((a) => atoms.map((b) => `${a} + ${b}`)),
      ...atoms.flatMap((a) => atoms.map((b) => `${a} < ${b}`)),
      ...atoms.flatMap((a) => atoms.map((b) => `${a} in ${b}`)),
      ...atoms.map((a) => `value.items.exists(i, i.q == ${a})`),
      ...atoms.map((a) => `value.l.map(i, ${a} == i)`),
    ]
    // Two literals of two types are refused there before a record comes, and compared here.
    const checked = sources.filter((source) => check(source).valid)
    assert.ok(checked.length > 400)
    const differing = checked.filter((source) => {
      const wanted = results(() => reference(source, { value }))
      return results(() => evaluate(source, { value })) !== wanted
    })
    assert.deepEqual(differing, [])
  })
})
