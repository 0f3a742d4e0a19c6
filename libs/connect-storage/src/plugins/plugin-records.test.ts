import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type KeySpec, validateConfig } from '@tributary/config'
import { catalogOf } from './plugin-catalog.ts'
import { pluginKey, readPluginRecord } from './plugin-records.ts'
import type { PluginEntry } from '../types.ts'

const key: KeySpec = { type: 'string', default: null, importance: 'low', doc: 'd' }
const plugin: PluginEntry = {
  class: 'io.x.Source',
  aliases: ['io.y.Source'],
  type: 'source',
  version: '1.0.0',
  service: 'x-ingest',
  spec: {
    keys: {
      a: {
        ...key,
        validator: {
          kind: 'all',
          of: [{ kind: 'nonEmpty' }, { kind: 'topicName', orBlank: true }, { kind: 'oneOf', values: ['x'] }],
        },
      },
    },
    prefixes: { 'h.': { importance: 'low', doc: 'd', suffix: '[a-z]+' } },
    rules: [{ rule: 'requires', key: 'a', needs: ['a'] }],
  },
}
const read = (value: unknown, recordKey = pluginKey(plugin)): PluginEntry | null =>
  readPluginRecord(recordKey, Buffer.from(JSON.stringify(value)))

/** The plugin with one key of this spec. */
const withKey = (spec: unknown): unknown => ({ ...plugin, spec: { keys: { a: spec } } })

test('an entry is read as it was written, and an entry without aliases has none', () => {
  assert.deepEqual(read(plugin), plugin)
  assert.equal(JSON.stringify(read(plugin)), JSON.stringify(plugin), 'the order of the members is kept')
  const { aliases, ...bare } = plugin
  assert.ok(aliases)
  assert.deepEqual(read(bare)?.aliases, [])
  assert.equal(readPluginRecord('any', null), null)
})

test('an entry whose members are not of their types is refused', () => {
  const wrong: [unknown, RegExp][] = [
    [{ ...plugin, aliases: 5 }, /plugin.aliases is not a list/],
    [{ ...plugin, aliases: [5] }, /aliases\[0\] is not text/],
    [{ ...plugin, class: '' }, /plugin.class/],
    [{ ...plugin, class: 'x'.repeat(7000) }, /plugin.class/],
    [{ ...plugin, type: 'spy' }, /plugin.type/],
    [{ ...plugin, service: 'a/b' }, /plugin.service/],
    [{ ...plugin, version: '../1' }, /plugin.version/],
    [{ ...plugin, spec: undefined }, /plugin.spec is not there/],
    [{ ...plugin, spec: { keys: [] } }, /spec.keys is not an object/],
    [withKey(null), /keys.a is not an object/],
    [withKey({ ...key, type: 'map' }), /a.type/],
    [withKey({ ...key, doc: undefined }), /a.doc is not there/],
    [withKey({ ...key, type: 'int', default: 'x' }), /a.default is not a int/],
    [withKey({ ...key, default: {} }), /a.default/],
    [withKey({ ...key, validator: { kind: 'oneOf', values: 5 } }), /validator.values/],
    [withKey({ ...key, validator: 5 }), /validator.kind/],
    [{ ...plugin, spec: { keys: {}, rules: [{ rule: 'atLeastOneOf', keys: [] }] } }, /rules\[0\].keys/],
    [{ ...plugin, spec: { keys: {}, prefixes: { 'h.': { importance: 'low', doc: 'd', suffix: '(' } } } }, /suffix/],
  ]
  for (const [value, reason] of wrong) assert.throws(() => read(value), reason)
  assert.throws(() => read(plugin, 'io.x.Source@9.0.0'), /the key is not that of the plugin/)
})

test('a pattern that does not compile is refused, and one that goes back holds nobody', () => {
  const pattern = (regex: string) => withKey({ ...key, validator: { kind: 'pattern', regex, message: 'no' } })
  assert.throws(() => read(pattern('(')), /regex is not a regular expression that can be matched in linear time/)
  assert.throws(() => read(pattern('(a)\\1')), /linear time/)
  const hostile = read(pattern('^(a+)+$'))!
  const { values } = validateConfig(hostile.spec, { a: `${'a'.repeat(5000)}!` })
  assert.equal(values[0]?.errors.length, 1)
})

test('validators, rules and members of a later version are left out, and the rest counts', () => {
  const later = { ...key, validator: { kind: 'moonPhase', phase: 1 }, colour: 'red' }
  const entry = read({
    ...plugin,
    spec: { keys: { a: later }, rules: [{ rule: 'later', keys: ['a'] }] },
    homepage: 'x',
  })
  assert.deepEqual(entry, { ...plugin, spec: { keys: { a: key }, rules: [] } })
})

test('each name of what a live worker has finds it, whatever classes and aliases other entries take', () => {
  const live = { ...plugin, class: 'io.x.FeedConnector', aliases: ['io.y.OldFeedConnector'] }
  const names = ['io.x.FeedConnector', 'FeedConnector', 'Feed', 'io.y.OldFeedConnector', 'OldFeedConnector', 'OldFeed']
  const thieves = names.map((name, n) => ({ ...plugin, class: `a.Thief${n}`, aliases: names, service: 'forged' }))
  const impostors = names.slice(1).map((name) => ({ ...plugin, class: name, aliases: [], service: 'forged' }))
  const { byName } = catalogOf([...thieves, ...impostors, live], ({ service }) => service === 'x-ingest')
  for (const name of names) assert.equal(byName.get(name)?.class, live.class, name)
})
