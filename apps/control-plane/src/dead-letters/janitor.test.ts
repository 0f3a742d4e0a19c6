import assert from 'node:assert/strict'
import { test } from 'node:test'
import { letterSet, type LetterEvent } from '@tributary/connect-storage'
import { silentLog } from '@tributary/telemetry/testing'
import { MemoryDeadLetterStore } from '../testing/memory-dead-letters.ts'
import { Janitor } from './janitor.ts'
import { testReplay } from '../testing/test-replay.ts'

const DAY_MS = 86_400_000
const NOW = 100 * DAY_MS

function event(id: string, topic: string, offsets: readonly number[], replay?: string): LetterEvent {
  const letters = letterSet(offsets.map((offset) => ({ topic, partition: 0, offset: String(offset) })))
  return { id, at: 1, by: 'x', kind: 'written', letters, ...(replay !== undefined && { replay }) }
}

test('what is about letters that Kafka has no longer is removed, and so are replays that ended long ago', async () => {
  const store = new MemoryDeadLetterStore()
  const starts = new Map([
    ['kept', new Map([[0, 10n]])],
    ['named', null],
    ['deleted', null],
  ])
  const janitor = new Janitor({
    store,
    followed: { isNamed: (topic) => topic === 'named' },
    log: silentLog,
    topics: {
      describeTopics: (names) =>
        Promise.resolve(new Map(names.map((name) => [name, starts.get(name) ? ({} as never) : null]))),
      listOffsets: (name) => Promise.resolve(starts.get(name)!),
    },
  })
  const ended = (id: string, completedAt: number) => testReplay({ id, state: 'completed', completedAt })
  await store.write({
    topics: ['kept', 'named', 'deleted'],
    replays: [ended('old', NOW - 31 * DAY_MS), ended('new', NOW - 29 * DAY_MS), testReplay({ id: 'running' })],
    events: [
      event('e-1', 'kept', [8, 9]),
      event('e-2', 'kept', [9, 10]),
      event('e-3', 'deleted', [0]),
      event('e-4', 'kept', [1], 'running'),
    ],
  })
  await janitor.clean(NOW)
  assert.deepEqual([...store.snapshot.topics()], ['kept', 'named'])
  assert.deepEqual(store.snapshot.replays().map(({ id }) => id).sort(), ['new', 'running']) // prettier-ignore
  assert.deepEqual(Array.from(store.snapshot.events(), ({ id }) => id), ['e-2', 'e-4']) // prettier-ignore
})
