import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { CONVERTER_PLUGINS } from '@tributary/converters'
import { converterContract, predicateContract, transformContract } from '@tributary/testkit'
import { PREDICATES, TRANSFORMATIONS } from '@tributary/transforms'
import { settingsFor } from '../support/plugin-settings.ts'
import { workspaceRoot } from './workspace.ts'

for (const plugin of TRANSFORMATIONS) transformContract(plugin, { props: settingsFor(plugin) })
for (const plugin of PREDICATES) predicateContract(plugin, { props: settingsFor(plugin) })

for (const plugin of CONVERTER_PLUGINS) {
  // Converters of a registry have their suite where a registry runs.
  if (plugin.type !== 'converter' || 'schema.registry.url' in plugin.spec.keys) continue
  // An event as a key would have another id each time.
  const valuesOnly = plugin.class === 'io.tributary.connect.converters.CloudEventsConverter'
  converterContract(plugin, { props: settingsFor(plugin), valuesOnly })
}

test('a class is listed once for each type', () => {
  const names = [...TRANSFORMATIONS, ...PREDICATES].map(({ type, class: name }) => `${type} ${name}`)
  assert.deepEqual(names, [...new Set(names)])
})

test('docs/transforms.md names every class', () => {
  const page = readFileSync(join(workspaceRoot, 'docs/transforms.md'), 'utf8')
  for (const { class: name } of [...TRANSFORMATIONS, ...PREDICATES]) {
    const simple = name
      .replace(/\$\w+$/, '')
      .split('.')
      .at(-1)!
    assert.ok(page.includes(simple), `docs/transforms.md does not name ${name}`)
  }
})
