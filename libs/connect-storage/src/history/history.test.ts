import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readVersion, versionKey, versionRecord } from './history-records.ts'
import { HistoryState } from './history-state.ts'
import { newRecords } from './history-store.ts'
import type { ConfigVersion } from '../types.ts'

const VERSION: ConfigVersion = {
  ...{ version: 3, time: 1_700_000_000_000, author: 'key:ci', cause: 'update', requestId: 'r-1' },
  ...{ changed: ['topic'], rollbackTo: null, shortened: false, hidden: ['password'] },
  config: { name: 'c-1', topic: 't', password: '[hidden]' },
}

test('a version is read back as it was written', () => {
  for (const version of [VERSION, { ...VERSION, cause: 'rollback', rollbackTo: 1 } as const]) {
    const { key, value } = versionRecord('c-1', version)
    assert.deepEqual(versionKey(key as string), { connector: 'c-1', version: 3 })
    assert.deepEqual(readVersion(3, value!), version)
  }
  const found = { ...VERSION, author: null, requestId: null, config: null, cause: 'found', hidden: [] } as const
  assert.deepEqual(readVersion(3, versionRecord('c-1', found).value!), found)
})

test('a configuration that is too large for the topic keeps its name and its class', () => {
  const config = { name: 'c-1', 'connector.class': 'X', big: 'x'.repeat(1 << 20) }
  const { value } = versionRecord('c-1', { ...VERSION, config })
  assert.ok(value!.length < 10_000)
  const read = readVersion(3, value!)
  assert.deepEqual([read.config, read.shortened, read.author], [{ name: 'c-1', 'connector.class': 'X' }, true, 'key:ci']) // prettier-ignore
})

test('records of other kinds are left alone, and what is no version is refused', () => {
  for (const key of ['', 'version-c', 'version--1', 'version-c-0', 'version-c-01', 'version-c-1.5', 'connector-c'])
    assert.equal(versionKey(key), null, key)
  const fields = JSON.parse(Buffer.from(versionRecord('c', VERSION).value!).toString()) as object
  const wrong = [
    { time: 1e16 },
    { time: -1 },
    { author: 1 },
    { cause: 'x' },
    { changed: 'topic' },
    { config: { a: 1 } },
  ]
  for (const each of wrong) {
    const bytes = Buffer.from(JSON.stringify({ ...fields, ...each }))
    assert.throws(() => readVersion(3, bytes), JSON.stringify(each))
  }
})

function put(state: HistoryState, connector: string, version: number, config = VERSION.config): void {
  const { key, value } = versionRecord(connector, { ...VERSION, version, config })
  state.apply(key as string, value)
}

test('the state has the versions in their order, whatever the order of the records, and knows who was deleted', () => {
  const state = new HistoryState()
  for (const version of [10, 9, 11]) put(state, 'a-1', version)
  put(state, 'a', 1)
  assert.deepEqual(state.versions('a-1').map(({ version }) => version), [9, 10, 11]) // prettier-ignore
  assert.deepEqual([state.latest('a-1')?.version, state.latest('b')], [11, null])
  put(state, 'a-1', 12, null)
  put(state, 'a', 2, null)
  assert.deepEqual(state.deleted(), ['a-1', 'a'])
  put(state, 'a-1', 13)
  assert.deepEqual(state.deleted(), ['a'])
  for (const version of [1, 2]) state.apply(`version-a-${version}`, null)
  assert.deepEqual([state.deleted(), state.connectors()], [[], ['a-1']])
})

test('with a new version go those beyond the bound, and with a deletion the connectors that were deleted first', () => {
  const state = new HistoryState()
  const keys = (connector: string, version: number, config: ConfigVersion['config']): string[] =>
    newRecords(state, connector, [{ ...VERSION, version, config }], { versions: 2, deleted: 2 }).map(
      ({ key, value }) => `${value === null ? '-' : ''}${String(key)}`,
    )
  for (const version of [1, 2]) put(state, 'c', version)
  assert.deepEqual(keys('c', 3, {}), ['version-c-3', '-version-c-1'])
  put(state, 'old', 7, {})
  put(state, 'old', 8, null)
  put(state, 'new', 1, null)
  assert.deepEqual(keys('new', 2, {}), ['version-new-2'])
  assert.deepEqual(keys('new', 2, null), ['version-new-2'])
  assert.deepEqual(keys('d', 1, null), ['version-d-1', '-version-old-7', '-version-old-8'])
  assert.deepEqual(newRecords(state, 'c', [], { versions: 1, deleted: 1 }), [])
})
