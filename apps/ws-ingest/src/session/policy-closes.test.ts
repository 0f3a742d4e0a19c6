import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NotConnectedError } from '@tributary/connect-api'
import { PolicyCloses } from './policy-closes.ts'

const error = new NotConnectedError('WEBSOCKET_CLOSED', 'closed with code 1008: bad token')

/** What each of these ends is judged to be. */
function codesOf(ends: readonly (readonly [code: number, delivered: boolean])[]): string[] {
  const closes = new PolicyCloses()
  return ends.map(([code, delivered]) => closes.judge(code, error, delivered).code)
}

test('three closes in a row for who we are are an error of the configuration', () => {
  assert.deepEqual(codesOf([[1008, false], [3000, false], [3003, false]]), ['WEBSOCKET_CLOSED', 'WEBSOCKET_CLOSED', 'WEBSOCKET_DENIED']) // prettier-ignore
})

test('another end, or one after data, begins the count anew', () => {
  for (const between of [
    [1006, false],
    [1008, true],
  ] as const) {
    assert.ok(!codesOf([[1008, false], [1008, false], between, [1008, false], [1008, false]]).includes('WEBSOCKET_DENIED')) // prettier-ignore
  }
})

test('the error holds the words of the server', () => {
  const closes = new PolicyCloses()
  const judged = [1, 2, 3].map(() => closes.judge(1008, error, false)).at(-1)
  assert.match(judged?.message ?? '', /3 connections in a row .* bad token/)
})
