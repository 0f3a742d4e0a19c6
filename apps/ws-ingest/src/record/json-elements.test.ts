import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { elementTexts } from './json-elements.ts'

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
