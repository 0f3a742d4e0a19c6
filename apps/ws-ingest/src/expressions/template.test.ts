import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError } from '@tributary/connect-api'
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
