import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, test } from 'node:test'
import { describeConfig, validateConfig } from '@tributary/config'
import { CONVERTER_PLUGINS } from '@tributary/converters'
import { startConnectOracle } from '@tributary/harness'
import { HEADER_DIFFERENCES, JSON_DIFFERENCES, SIMPLE_DIFFERENCES } from './converters-differences.ts'

const oracle = await startConnectOracle()
after(() => oracle.stop())

const KAFKAS = CONVERTER_PLUGINS.filter((plugin) => plugin.class.startsWith('org.apache.kafka.'))

/** Settings that are right, and settings that are not. The worker always sets `converter.type`. */
const SETTINGS: readonly Readonly<Record<string, string>>[] = [
  { 'converter.type': 'value' },
  { 'converter.type': 'VALUE', 'schemas.enable': 'perhaps', 'converter.encoding': '' },
  { 'converter.type': 'header', 'schemas.enable': ' TRUE ', 'schemas.cache.size': 'x', 'decimal.format': 'text' },
  {
    'converter.type': '',
    'schemas.cache.size': '99999999999',
    'replace.null.with.default': '1',
    'decimal.format': 'numeric',
  },
  { 'converter.type': 'key', 'schemas.cache.size': '1.5', 'decimal.format': '', other: 'setting' },
]

test("every converter of Kafka has Kafka's settings, but for the words of the documentation", async () => {
  const answers = await oracle.ask(KAFKAS.map((plugin) => ({ op: 'config', class: plugin.class })))
  for (const [i, plugin] of KAFKAS.entries()) {
    const kafka = answers[i]!.keys!.map(({ documentation: _, validator: __, ...key }) => key)
    const names = Object.keys(kafka[0] ?? {})
    const ours = describeConfig(plugin.spec).map((key) => {
      return Object.fromEntries(names.map((name) => [name, (key as unknown as Record<string, unknown>)[name]]))
    })
    assert.deepEqual(byName(ours), byName(kafka), plugin.class)
  }
})

test("every converter of Kafka refuses the settings that Kafka's refuses, with its words", async () => {
  for (const plugin of KAFKAS) {
    const requests = SETTINGS.map((config) => ({ op: 'validate', class: plugin.class, config }) as const)
    for (const [i, { values }] of (await oracle.ask(requests)).entries()) {
      // Java's set of the two formats has no order.
      const kafka = values!.map(({ name, errors }) => {
        return { name, errors: errors.map((text) => text.replace('NUMERIC, BASE64', 'BASE64, NUMERIC')) }
      })
      const ours = validateConfig(plugin.spec, SETTINGS[i]!).values.map(({ name, errors }) => ({ name, errors }))
      assert.deepEqual(byName(ours), byName(kafka), `${plugin.class} ${JSON.stringify(SETTINGS[i])}`)
    }
  }
})

test('docs/converters.md has each difference, and each class', () => {
  const page = readFileSync(new URL('../../docs/converters.md', import.meta.url), 'utf8').replaceAll(/\s+/g, ' ')
  for (const { reason } of [...JSON_DIFFERENCES, ...HEADER_DIFFERENCES, ...SIMPLE_DIFFERENCES]) {
    assert.ok(page.includes(reason), reason)
  }
  for (const { class: name } of CONVERTER_PLUGINS) assert.ok(page.includes(name), name)
})

function byName(items: readonly object[]): object[] {
  return items.toSorted((a, b) =>
    String((a as { name: unknown }).name) < String((b as { name: unknown }).name) ? -1 : 1,
  )
}
