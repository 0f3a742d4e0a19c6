import assert from 'node:assert/strict'
import test from 'node:test'
import { matchesGlob } from './glob.ts'

test('a star matches any characters, a question mark matches one, everything else matches itself', () => {
  const cases: [string, string, boolean][] = [
    ['orders-*', 'orders-a', true],
    ['orders-*', 'orders-', true],
    ['orders-*', 'my-orders-a', false],
    ['*', '', true],
    ['', '', true],
    ['', 'a', false],
    ['*-eu-?', 'orders-eu-eu-1', true],
    ['*-eu-?', 'orders-eu-10', false],
    ['a.c', 'abc', false],
    ['a?c', 'abc', true],
    ['a?', 'a', false],
    ['*a*b*', 'xxaxxbxx', true],
    ['[ab]', 'a', false],
    ['a*', '*', false],
    ['\\*', '\\anything', true],
    ['line*', 'line\nbreak', true],
  ]
  for (const [pattern, text, expected] of cases) {
    assert.equal(matchesGlob(pattern, text), expected, `${pattern} against ${text}`)
  }
})

test('a pattern of many stars is matched quickly', { timeout: 5000 }, () => {
  assert.equal(matchesGlob(`${'a*'.repeat(1000)}b`, 'a'.repeat(10_000)), false)
})
