import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SecretIndex } from './secret-index.ts'

function indexOf(...texts: string[]): SecretIndex {
  const index = new SecretIndex()
  for (const text of texts) index.add({ text, pieces: false })
  return index
}

function found(index: SecretIndex, searched: string): string[] {
  return index.spansIn(searched).map(([start, end]) => searched.slice(start, end))
}

test('every occurrence of every text is found, whatever its case, at both ends and across others', () => {
  const index = indexOf('secret', 'secret-long', 'pass', 'ünïcödé')
  assert.deepEqual(found(index, 'SECRET-long passpass-secre'), ['SECRET-long', 'SECRET', 'pass', 'pass'].toSorted((a, b) => a === 'SECRET' ? -1 : b === 'SECRET' ? 1 : 0)) // prettier-ignore
  assert.deepEqual(found(index, 'an ÜNÏCÖDÉ, secretünïcödé'), ['ÜNÏCÖDÉ', 'secret', 'ünïcödé'])
  assert.deepEqual(found(indexOf('abcd', 'cdef', 'efgh'), 'abcdefgh'), ['abcd', 'cdef', 'efgh'])
  assert.deepEqual(found(index, 'pas'), [])
})

test('of a text with pieces, a beginning and an end of eight characters or more are found, and nothing from the middle', () => {
  const index = new SecretIndex()
  const text = '0123456789abcdefghij'
  index.add({ text, pieces: true })
  for (let length = 8; length <= text.length; length++) {
    for (const piece of [text.slice(0, length), text.slice(-length)]) {
      assert.ok(found(index, `x ${piece}…`).includes(piece), piece)
    }
  }
  for (const piece of ['0123456', 'defghij', '123456789abcdefghi'])
    assert.deepEqual(found(index, `x ${piece}…`), [], piece)
})

test('a text that was added twice is found until it was removed twice', () => {
  const index = indexOf('token', 'token', 'tokens')
  const token = { text: 'token', pieces: false }
  index.remove(token)
  assert.deepEqual(found(index, 'a token'), ['token'])
  index.remove(token)
  assert.deepEqual(found(index, 'a token, tokens'), ['tokens'])
  index.remove({ text: 'never added', pieces: true })
  index.remove({ text: 'tokens', pieces: false })
  assert.ok(index.isEmpty)
})

test('for random texts the result equals that of a search for each text', () => {
  let state = 7
  const random = (n: number): number => (state = (state * 1103515245 + 12345) & 0x7fffffff) % n
  const letters = (length: number): string => Array.from({ length }, () => 'abé\u{20ac}'[random(4)]).join('')
  for (let round = 0; round < 300; round++) {
    const texts = [...new Set(Array.from({ length: 5 }, () => letters(4 + random(4))))]
    const searched = letters(200)
    const wanted = texts.flatMap((text) => [...searched.matchAll(new RegExp(`(?=${text})`, 'g'))].map(({ index }) => `${index} ${text}`)) // prettier-ignore
    const spans = indexOf(...texts).spansIn(searched)
    assert.deepEqual(spans.map(([start, end]) => `${start} ${searched.slice(start, end)}`).sort(), wanted.sort())
  }
})
