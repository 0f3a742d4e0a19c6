import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '@tributary/connect-api'
import { compileTemplate } from './template.ts'

const rendered = (text: string): string => compileTemplate(text, 'k').render((name) => `<${name}>`)

test('places are filled in, and all other braces stay', () => {
  assert.equal(rendered('{"a":{"b":{{ x }}},"c":"{{received.a.0}}"}'), '{"a":{"b":<x>},"c":"<received.a.0>"}')
  assert.equal(rendered('{{a}}{{b}}'), '<a><b>')
  assert.equal(rendered('none {} }}'), 'none {} }}')
  assert.equal(rendered(''), '')
})

test('what is filled in is not looked at again', () => {
  assert.equal(
    compileTemplate('{{a}}', 'k').render(() => '{{a}}'),
    '{{a}}',
  )
})

test('the names are there to be checked', () => {
  assert.deepEqual(compileTemplate('{{a}} {{b.c}} {{a}}', 'k').names, ['a', 'b.c', 'a'])
})

for (const bad of ['{{', '{{a}', '{{}}', '{{ }}', 'x {{a{b}}', '{{a {{b}}']) {
  test(`${bad} is refused on its setting`, () => {
    assert.throws(
      () => compileTemplate(bad, 'topic.template'),
      (error) =>
        error instanceof ConfigError && error.code === 'WEBSOCKET_TEMPLATE' && error.field === 'topic.template',
    )
  })
}
