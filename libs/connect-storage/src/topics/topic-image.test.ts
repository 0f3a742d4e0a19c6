import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TopicImage } from './topic-image.ts'

function image(now = 1e12): {
  take(key: string, value: string | null, timestamp?: number): boolean
  image: TopicImage
} {
  const kept = new TopicImage(
    (key) => key.startsWith('restart-'),
    () => now,
  )
  return {
    image: kept,
    take: (key, value, timestamp = 1) =>
      kept.apply({ value: value === null ? null : Buffer.from(value, 'latin1'), timestamp }, key),
  }
}
const shown = (kept: TopicImage): string[] =>
  kept
    .missing()
    .map(
      ({ key, value, timestamp }) =>
        `${key}=${value === null ? '' : Buffer.from(value).toString('latin1')}@${timestamp}`,
    )

test('a new topic lacks the last value of each key, in the order of the writes, byte for byte', () => {
  const { image: kept, take } = image()
  take('a', '1', 1)
  take('b', '\xff\x00', 2)
  take('gone', '1', 3)
  take('a', '2', 4)
  take('gone', null, 5)
  take('restart-a', '1', 6)
  take('', '1', 7)
  assert.deepEqual(shown(kept), [])
  kept.newTopic()
  assert.deepEqual(shown(kept), ['b=\xff\x00@2', 'a=2@4'])
})

test('what the new topic holds is no longer missing, unless it is older than what the old topic held', () => {
  const { image: kept, take } = image()
  for (const key of ['same', 'newer', 'older', 'removed', 'alone']) take(key, 'old', 10)
  kept.newTopic()
  assert.deepEqual(
    [take('same', 'old', 10), take('newer', 'new', 11), take('older', 'stale', 9), take('removed', null, 12)],
    [true, true, false, true],
  )
  assert.deepEqual(shown(kept), ['older=old@10', 'alone=old@10'])
  // Written back; later writes count whatever their clocks say.
  assert.deepEqual([take('older', 'old', 10), take('alone', 'old', 10), take('older', 'late', 8)], [true, true, true])
  assert.deepEqual(shown(kept), [])
})

test('a topic that is deleted again before all is written back lacks everything once more', () => {
  const { image: kept, take } = image()
  take('a', '1')
  take('b', '1')
  kept.newTopic()
  take('a', '1')
  kept.newTopic()
  assert.deepEqual(shown(kept).toSorted(), ['a=1@1', 'b=1@1'])
})

test('a key that was removed lately is removed again, whichever of two processes that know or do not know of it writes first', () => {
  const now = 1e12
  const { image: knows, take } = image(now)
  const { image: missed, take: takeOfMissed } = image(now)
  for (const apply of [take, takeOfMissed]) apply('gone', '1', now - 20)
  take('gone', null, now - 10)
  knows.newTopic()
  missed.newTopic()
  assert.deepEqual(shown(knows), [`gone=@${now - 10}`])
  // The one that missed the removal wrote first: what it wrote does not count, and is removed again.
  assert.equal(take('gone', '1', now - 20), false)
  assert.deepEqual(shown(knows), [`gone=@${now - 10}`])
  // The other one wrote first.
  assert.equal(takeOfMissed('gone', null, now - 10), true)
  assert.deepEqual(shown(missed), [])
})

test('removals are forgotten after ten minutes', () => {
  const now = 1e12
  const { image: kept, take } = image(now)
  take('long ago', null, now - 600_001)
  take('lately', null, now - 599_999)
  kept.newTopic()
  assert.deepEqual(shown(kept), [`lately=@${now - 599_999}`])
})

test('keys that are written and removed again and again do not grow the image without bound', () => {
  const { image: kept, take } = image()
  for (let i = 0; i < 60_000; i++) {
    take(`k${i}`, '1', 1e12)
    take(`k${i}`, null, 1e12)
  }
  kept.newTopic()
  assert.equal(kept.missing().length, 50_000)
})
