import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { checkPath, compilePath, elementTexts, isOfMessage, namesOfPath, PATH_PATTERN } from './json-path.ts'

const MESSAGE: unknown = JSON.parse(
  '{"a":{"b":[{"c":1},{"c":null}]},"a.b":"dotted","":0,"constructor":2,"__proto__":3,"length":4}',
)

describe('a path into JSON', () => {
  for (const [path, value] of [
    ['a.b.0.c', 1],
    ['a.b.1.c', null],
    ['a.b.2.c', undefined],
    ['a.b.-1', undefined],
    ['a.b.length', undefined],
    ['a.b.at', undefined],
    ['a.b.0.c.d', undefined],
    ['a.toString', undefined],
    ['a.__proto__', undefined],
    ['a\\.b', 'dotted'],
    ['constructor', 2],
    ['__proto__', 3],
    ['length', 4],
    ['$.length', 4],
    ['x', undefined],
  ] as const) {
    test(`${path} reads ${String(value)}`, () => assert.equal(compilePath(path)(MESSAGE), value))
  }

  test('$ is the value itself', () => {
    assert.equal(compilePath('$')(MESSAGE), MESSAGE)
    assert.equal(compilePath('$')(undefined), undefined)
  })

  test('finds nothing in a value that is not an object', () => {
    for (const value of [undefined, null, 'text', 5, true, 7n]) assert.equal(compilePath('length')(value), undefined)
  })

  test('shows whether it starts at the whole message', () => {
    assert.deepEqual(['$', '$.a', '$a', 'a.$'].map(isOfMessage), [true, true, false, false])
    assert.deepEqual(['$', '$.a.b', '$a', 'a\\.b.c'].map(namesOfPath), [[], ['a', 'b'], ['$a'], ['a.b', 'c']])
  })

  test('is refused when it has an empty name', () => {
    for (const path of ['', '.', 'a.', '.a', 'a..b', '$.', '$..a', 'a\\']) {
      assert.equal(new RegExp(PATH_PATTERN).test(path), false, path)
      assert.throws(() => checkPath(path, 'key.field'), { code: 'WEBSOCKET_FIELD_PATH', field: 'key.field' })
    }
    for (const path of ['$', '$.a', '$a', 'a\\.b', 'a.b.0', 'ä ö', '$.$']) assert.equal(checkPath(path, 'k'), path)
  })
})

describe('the texts of the elements of an array', () => {
  for (const [json, path, texts] of [
    ['[1,2.50,-3e5,12345678901234567890]', [], ['1', '2.50', '-3e5', '12345678901234567890']],
    [' [ {"a":[1]} ,\n"x,]" ,\ttrue,null ] ', [], ['{"a":[1]}', '"x,]"', 'true', 'null']],
    ['[]', [], []],
    ['[ ]', [], []],
    ['{"data":[{"p":1.10},{"p":"\\""}]}', ['data'], ['{"p":1.10}', '{"p":"\\""}']],
    ['{"x":"]}","d":{"y":[[1],[2,[3]]]}}', ['d', 'y'], ['[1]', '[2,[3]]']],
    ['[[1,2],[3]]', ['1'], ['3']],
    ['{"a":[1],"a":[2]}', ['a'], ['2']],
    ['{"\\u0061":[1]}', ['a'], ['1']],
    ['{"a\\\\b":[1]}', ['a\\b'], ['1']],
    ['{"a\\nb":[1]}', ['a\nb'], ['1']],
    ['{"":[7]}', [''], ['7']],
    ['["a\\\\","\\\\\\"b"]', [], ['"a\\\\"', '"\\\\\\"b"']],
  ] as const) {
    test(`of ${json.trim()} at ${path.join('.') || 'the top'}`, () => {
      assert.deepEqual(elementTexts(json, path), texts)
    })
  }

  for (const [json, path] of [
    ['{"a":1}', []],
    ['{"a":1}', ['a']],
    ['{"a":{}}', ['a']],
    ['{"a":"[1]"}', ['a']],
    ['{"ab":[1]}', ['a']],
    ['{"a\\nb":[1]}', ['a\\nb']],
    ['[[1]]', ['1']],
    ['[[1]]', ['00']],
    ['[[1]]', ['length']],
    ['"x"', []],
    ['5', ['a']],
  ] as const) {
    test(`there are none in ${json} at ${path.join('.') || 'the top'}`, () => {
      assert.equal(elementTexts(json, path), null)
    })
  }
})
