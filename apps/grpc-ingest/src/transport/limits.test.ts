import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WINDOW_BYTES, windowBytesFor } from './limits.ts'

test('the window of a stream is smaller where many streams share the memory, and never below 64 KiB', () => {
  assert.equal(windowBytesFor(Infinity), WINDOW_BYTES)
  assert.equal(windowBytesFor(64 * WINDOW_BYTES), WINDOW_BYTES)
  assert.equal(windowBytesFor(WINDOW_BYTES), WINDOW_BYTES / 4)
  assert.equal(windowBytesFor(1), 64 * 1024)
})
