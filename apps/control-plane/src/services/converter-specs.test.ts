import type { PluginEntry } from '@tributary/connect-storage'
import assert from 'node:assert/strict'
import test from 'node:test'
import { namedConverters } from './converter-specs.ts'

function plugin(name: string, type: PluginEntry['type']): PluginEntry {
  return { class: name, aliases: [], type, version: '1', service: 's', spec: { keys: {} } }
}

const JSON_CONVERTER = plugin('org.apache.kafka.connect.json.JsonConverter', 'converter')
const PLUGINS = [JSON_CONVERTER, plugin('a.Simple', 'header_converter'), plugin('a.Source', 'source')]

test('a converter is found by its class and by its simple name, and gets the settings behind its key', () => {
  for (const name of [JSON_CONVERTER.class, 'JsonConverter', ' JsonConverter ']) {
    const sent = { 'value.converter': name, 'value.converter.schemas.enable': 'false', topic: 't' }
    assert.deepEqual(namedConverters(sent, PLUGINS), [
      {
        key: 'value.converter',
        class: JSON_CONVERTER.class,
        error: null,
        spec: JSON_CONVERTER.spec,
        settings: { 'converter.type': 'value', 'schemas.enable': 'false' },
      },
    ])
  }
})

test("a class that does not exist or is not a converter is an error with Connect's text", () => {
  const sent = { 'key.converter': 'nix', 'value.converter': 'a.Source', 'header.converter': JSON_CONVERTER.class }
  assert.deepEqual(
    namedConverters(sent, PLUGINS).map(({ class: name, error }) => [name, error]),
    [
      [null, 'Invalid value nix for configuration key.converter: Class nix could not be found.'],
      ['a.Source', 'Class class a.Source does not implement the Converter interface'],
      [JSON_CONVERTER.class, `Class class ${JSON_CONVERTER.class} does not implement the HeaderConverter interface`],
    ],
  )
})

test('references and unset keys are left to the worker, and so is every key while no converter is published', () => {
  assert.deepEqual(namedConverters({ 'value.converter': '${env:CONVERTER}', 'key.converter': null }, PLUGINS), [])
  assert.deepEqual(namedConverters({ 'value.converter': 'nix' }, [plugin('a.Source', 'source')]), [])
})
