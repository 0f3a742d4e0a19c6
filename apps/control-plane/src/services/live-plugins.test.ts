import assert from 'node:assert/strict'
import test from 'node:test'
import { type PluginEntry, pluginKey } from '@tributary/connect-storage'
import { silentLog } from '@tributary/telemetry/testing'
import { MemoryPluginStore } from '../testing/memory-stores.ts'
import { FILE_SOURCE } from '../testing/test-api.ts'
import { LivePlugins } from './live-plugins.ts'

const version = (number: string, service = FILE_SOURCE.service): PluginEntry => ({
  ...FILE_SOURCE,
  version: number,
  service,
})

/** `members`: the metadata of the members of each group; an Error: Kafka is away. */
function scene(entries: readonly PluginEntry[], members: Record<string, readonly unknown[] | Error>) {
  const plugins = new MemoryPluginStore(entries)
  const groups = {
    describeGroup: (group: string) => {
      const found = members[group] ?? []
      if (found instanceof Error) return Promise.reject(found)
      return Promise.resolve({ members: found.map((metadata) => ({ metadata })) })
    },
  }
  const live = new LivePlugins({ plugins, groups, cluster: 't', log: silentLog })
  return {
    live,
    members,
    plugins,
    chosen: () => plugins.plugins().map((plugin) => `${plugin.version} of ${plugin.service}`),
  }
}
const worker = (...plugins: PluginEntry[]) => ({ worker: 'w:1', plugins: plugins.map(pluginKey) })

test('the highest version is chosen that a live worker has, not one that somebody wrote to the topic', async () => {
  const [old, ours, forged] = [version('1.0.0'), version('1.1.0'), version('999.0.0', 'forged')]
  const { live, members, chosen } = scene([old, ours, forged], { 't-file-ingest': [worker(old), worker(ours)] })
  await live.look()
  assert.deepEqual(chosen(), ['1.1.0 of file-ingest'])
  members['t-file-ingest'] = [worker(old)]
  await live.look()
  assert.deepEqual(chosen(), ['1.0.0 of file-ingest'], 'the newer one was rolled back')
})

test('without a live worker the highest version is chosen, and while Kafka is away nothing changes', async () => {
  const [old, ours] = [version('1.0.0'), version('1.1.0')]
  const { live, members, chosen } = scene([old, ours], {})
  await live.look()
  assert.deepEqual(chosen(), ['1.1.0 of file-ingest'])
  members['t-file-ingest'] = [worker(old)]
  await live.look()
  members['t-file-ingest'] = new Error('away')
  await live.look()
  assert.deepEqual(chosen(), ['1.0.0 of file-ingest'])
  members['t-file-ingest'] = [null]
  await live.look()
  assert.deepEqual(chosen(), ['1.0.0 of file-ingest'], 'the group rebalances')
})

test('workers of an earlier version do not tell what they have: the highest version of their service counts', async () => {
  const { live, chosen } = scene([version('1.0.0'), version('1.1.0'), version('2.0.0', 'forged')], {
    't-file-ingest': [{ worker: 'w:1' }],
  })
  await live.look()
  assert.deepEqual(chosen(), ['1.1.0 of file-ingest'])
})

test('a name of a class that a live worker has stays with it, whatever single entry somebody writes to the topic', async () => {
  const ours = version('1.0.0')
  for (const forged of [
    { ...version('1.0.0', 'forged'), class: 'a.Thief', aliases: ['FileStreamSource'] },
    { ...version('1.0.0', 'forged'), class: 'FileStreamSourceConnector' },
  ]) {
    const { live, plugins } = scene([forged, ours], { 't-file-ingest': [worker(ours)] })
    await live.look()
    for (const name of ['FileStreamSource', 'FileStreamSourceConnector', ours.class])
      assert.equal(plugins.find(name)?.class, ours.class)
  }
})
