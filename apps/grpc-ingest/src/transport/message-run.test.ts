import assert from 'node:assert/strict'
import { test } from 'node:test'
import { copyBounds, eachOf, joinSmall, messagesIn, runOf, splitRun } from './message-run.ts'

const TEXTS = ['one', '', 'three', 'four']
const run = joinSmall(TEXTS.map((text) => runOf(Buffer.from(text))))[0]!

test('copies of bounds do not change, however many are made', () => {
  const copies = Array.from({ length: 500 }, (_, i) => copyBounds(new Int32Array(200).fill(i), 1 + (i % 200)))
  for (const [i, copy] of copies.entries()) assert.deepEqual([...copy], Array<number>(1 + (i % 200)).fill(i))
})

test('a run is split into runs with the bytes of their messages', () => {
  assert.deepEqual([run.count, run.size], [4, 12])
  const [first, rest] = splitRun(run, 3)
  assert.deepEqual([messagesIn(first).map(String), first.size], [['one', '', 'three'], 8])
  assert.deepEqual([messagesIn(rest).map(String), rest.count, rest.size], [['four'], 1, 4])
  assert.deepEqual(
    eachOf(run).map((one) => [String(messagesIn(one)[0]), one.count, one.size]),
    TEXTS.map((text) => [text, 1, text.length]),
  )
})
