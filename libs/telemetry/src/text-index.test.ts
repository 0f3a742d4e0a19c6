import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TextIndex } from './text-index.ts'

function indexOf(...texts: string[]): TextIndex {
  const index = new TextIndex()
  for (const text of texts) index.add(text)
  return index
}

test('every occurrence of every text is replaced; of texts that start together the longest is replaced', () => {
  const index = indexOf('secret', 'secret-long', 'pass', 'ünïcödé')
  assert.equal(index.replaceIn('secret-long secret passpass-secre', '*'), '* * **-secre')
  assert.equal(index.replaceIn('an ünïcödé, secretünïcödé', '*'), 'an *, **')
})

test('a text is found at both ends and next to a replaced text, but not across one', () => {
  const index = indexOf('abcd', 'cdef', 'efgh')
  assert.equal(index.replaceIn('abcdefgh', '*'), '**')
  assert.equal(index.replaceIn('abcdef', '*'), '*ef')
  assert.equal(index.replaceIn('abc', '*'), 'abc')
  assert.equal(index.replaceIn('', '*'), '')
})

test('a text that was added twice is replaced until it was removed twice', () => {
  const index = indexOf('token', 'token', 'tokens')
  index.remove('token')
  assert.equal(index.replaceIn('a token', '*'), 'a *')
  index.remove('token')
  assert.equal(index.replaceIn('a token, tokens', '*'), 'a token, *')
  index.remove('never added')
})

test('for random texts the result equals that of a search for each text', () => {
  let state = 7
  const random = (n: number): number => (state = (state * 1103515245 + 12345) & 0x7fffffff) % n
  const letters = (length: number): string => Array.from({ length }, () => 'abé\u{20ac}'[random(4)]).join('')
  for (let round = 0; round < 300; round++) {
    const texts = Array.from({ length: 5 }, () => letters(4 + random(4)))
    const searched = letters(200)
    const longestFirst = texts.sort((a, b) => b.length - a.length)
    assert.equal(
      indexOf(...texts).replaceIn(searched, '*'),
      searched.replaceAll(new RegExp(longestFirst.join('|'), 'g'), '*'),
    )
  }
})
