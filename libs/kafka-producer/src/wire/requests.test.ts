import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inOrderOf } from './requests.ts'

test('a batch that the answer leaves out counts as unanswered, those beside it do not', () => {
  const batches = [0, 1, 2].map((partition) => ({ topic: 't', partition }))
  const written = { topic: 't', code: 0, baseOffset: 5n, message: null }
  const answers = inOrderOf(batches, [{ ...written, partition: 2 }, { ...written, partition: 0 }]) // prettier-ignore
  assert.deepEqual(
    answers.map(({ code }) => code),
    [0, 13 /* NETWORK_EXCEPTION */, 0],
  )
})
