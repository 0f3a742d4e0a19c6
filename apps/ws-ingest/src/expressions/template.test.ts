import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '@tributary/connect-api'
import { parseJson } from '@tributary/config'
import { jsonPlaces } from './json-places.ts'
import { compileTemplate } from './template.ts'

const rendered = (text: string): string => compileTemplate(text, 'k').render((name) => `<${name}>`)

test('placeholders are replaced, and all other braces stay', () => {
  assert.equal(rendered('{"a":{"b":{{ x }}},"c":"{{received.a.0}}"}'), '{"a":{"b":<x>},"c":"<received.a.0>"}')
  assert.equal(rendered('{{a}}{{b}}'), '<a><b>')
  assert.equal(rendered('none {} }}'), 'none {} }}')
  assert.equal(rendered(''), '')
})

test('inserted values are not rendered again', () => {
  assert.equal(
    compileTemplate('{{a}}', 'k').render(() => '{{a}}'),
    '{{a}}',
  )
})

test('the names are available for checks', () => {
  assert.deepEqual(compileTemplate('{{a}} {{b.c}} {{a}}', 'k').names, ['a', 'b.c', 'a'])
})

for (const bad of ['{{', '{{a}', '{{}}', '{{ }}', 'x {{a{b}}', '{{a {{b}}']) {
  test(`${bad} is refused on its key`, () => {
    assert.throws(
      () => compileTemplate(bad, 'topic.template'),
      (error) =>
        error instanceof ConfigError && error.code === 'WEBSOCKET_TEMPLATE' && error.field === 'topic.template',
    )
  })
}

/** `text` as a message, with each placeholder replaced by the JSON value `json`. */
function message(text: string, json: string): string {
  return compileTemplate(text, 'k', jsonPlaces).render(() => parseJson(json, { numbers: 'raw' }))
}

const NASTY = JSON.stringify('a"b\\c\n","admin":true')

for (const text of [
  '{"answer":"{{x}}"}',
  '{"answer":{{x}}}',
  '{"answer":"pre{{x}}post","{{x}}":["{{x}}",{{x}}]}',
  '["{{x}}"]',
  '"{{x}}"',
]) {
  test(`a value stays one value in the message ${text}`, () => {
    const value = JSON.parse(NASTY) as string
    const whole = text.replaceAll('{{x}}', 'VALUE').replaceAll(/(?<!")VALUE(?!["p])/g, '"VALUE"')
    const expected = JSON.stringify(JSON.parse(whole)).replaceAll('VALUE', NASTY.slice(1, -1))
    assert.deepEqual(JSON.parse(message(text, NASTY)), JSON.parse(expected))
    assert.ok(message(text, NASTY).includes(JSON.stringify(value).slice(1, -1)))
  })
}

test('a value is escaped in JSON behind a prefix, before a separator, and within a string of JSON', () => {
  assert.equal(message('42["a",{"b":"{{x}}"}]', '"q\\"q"'), '42["a",{"b":"q\\"q"}]')
  assert.equal(message('{"b":"{{x}}"}\u001e{"c":{{x}}}\u001e', '"q\\"q"'), '{"b":"q\\"q"}\u001e{"c":"q\\"q"}\u001e')
  assert.equal(message('[x] {"b":"{{x}}"}', '"q\\"q"'), '[x] {"b":"q\\"q"}')
  const nested = message('{"data":"{\\"a\\":\\"{{x}}\\",\\"b\\":{{x}}}"}', NASTY)
  const { data } = JSON.parse(nested) as { data: string }
  assert.deepEqual(JSON.parse(data), { a: JSON.parse(NASTY) as string, b: JSON.parse(NASTY) as string })
})

test('a value is written as it is where there is no JSON', () => {
  assert.equal(message('CONNECT\npasscode:{{x}}\n\n\0', '"q\\"q"'), 'CONNECT\npasscode:q"q\n\n\0')
  assert.equal(message('{not json "{{x}}"', '"q\\"q"'), '{not json "q"q"')
  assert.equal(message('\uffff{"a":"{{x}}"}', '"qq"'), '\uffff{"a":"qq"}')
})

for (const text of [
  'CONNECT\npasscode:{{x}}\n\n\0',
  'PONG :{{x}}',
  '{{x}}',
  '{"a":1}\n{{x}}',
  '["CONNECT\\npasscode:{{x}}\\n\\n\\u0000"]',
]) {
  test(`a value cannot end the field in which it stands in ${JSON.stringify(text)}`, () => {
    for (const end of ['\n', '\r', '\0', '\t', '\x1e', '\x7f', '\x85', '\u2028', '\u2029']) {
      assert.throws(
        () => message(text, JSON.stringify(`geheim${end}admin:true`)),
        (error) => {
          assert.ok(error instanceof ConfigError)
          assert.deepEqual([error.code, error.field], ['WEBSOCKET_TEMPLATE', 'k'])
          assert.match(error.message, /^The value of \{\{x\}\} cannot stand in k: it has a line break/)
          assert.doesNotMatch(error.message, /geheim/)
          return true
        },
      )
    }
    assert.ok(message(text, '"a:b c é"').includes('a:b c é'))
  })
}

test('numbers keep their digits, and a string that is a number may stand for one', () => {
  assert.equal(message('{"pong":{{x}}}', '17952624002500000001'), '{"pong":17952624002500000001}')
  assert.equal(message('{"pong":"{{x}}","ns":{{x}}000,"m":-{{x}}}', '"150"'), '{"pong":"150","ns":150000,"m":-150}')
  assert.equal(message('{"echo":{{x}},"text":"{{x}}"}', '{"a":1.50}'), '{"echo":{"a":1.50},"text":"{\\"a\\":1.50}"}')
  assert.equal(message('{{x}}', '1e3'), '1e3')
})

test('a text that only looks like JSON is compiled soon', () => {
  assert.equal(message('['.repeat(1_000_000) + '{{x}}', '"a"').length, 1_000_001)
})
