import assert from 'node:assert/strict'
import { test } from 'node:test'
import { canonicalJson, parseJson, stringifyJson } from '../values/json.ts'
import { parseKeyValueList } from '../values/key-value-list.ts'
import { parseValue, valueText } from '../values/parse-value.ts'
import { parseProperties } from './properties.ts'
import { splitReferences } from '../values/references.ts'

/** A small seeded generator (mulberry32), so that a failing case can be run again. */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const ROUNDS = 2000
const CHARS = [
  'a',
  'B',
  '0',
  '9',
  ' ',
  '\t',
  '\n',
  '\\',
  '"',
  ':',
  '=',
  ',',
  '#',
  '!',
  '$',
  '{',
  '}',
  'é',
  '😀',
  '\u0000',
  '-',
  '.',
]

function forAll(property: (pick: Generators) => void): void {
  for (let seed = 1; seed <= ROUNDS; seed++) {
    try {
      property(new Generators(random(seed)))
    } catch (cause) {
      throw new Error(`fails with seed ${seed}`, { cause })
    }
  }
}

class Generators {
  readonly #next: () => number
  constructor(next: () => number) {
    this.#next = next
  }
  int(max: number): number {
    return Math.floor(this.#next() * max)
  }
  text(max = 12): string {
    return Array.from({ length: this.int(max) }, () => CHARS[this.int(CHARS.length)]).join('')
  }
  safeInteger(): number {
    return Math.trunc((this.#next() - 0.5) * 2 * 10 ** this.int(17)) + 0 || 0
  }
  json(depth = 3): unknown {
    switch (this.int(depth > 0 ? 7 : 5)) {
      case 0:
        return this.text()
      case 1:
        return this.safeInteger()
      case 2:
        return BigInt(Number.MAX_SAFE_INTEGER) * BigInt(this.int(1000) + 2)
      case 3:
        return this.int(2) === 0
      case 4:
        return null
      case 5:
        return Array.from({ length: this.int(4) }, () => this.json(depth - 1))
      default:
        return Object.fromEntries(Array.from({ length: this.int(4) }, () => [this.text(), this.json(depth - 1)]))
    }
  }
}

function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([k, v]) => [k, reversed(v)]),
  )
}

test('the text of a parsed value parses to the same value', () => {
  forAll((pick) => {
    for (const type of ['string', 'int', 'long', 'double', 'boolean', 'list'] as const) {
      const input = pick.int(2) === 0 ? pick.text() : String(pick.safeInteger())
      const first = parseValue(input, type)
      if (!('value' in first)) continue
      assert.deepEqual(parseValue(valueText(first.value, type), type), first)
    }
  })
})

test('written JSON parses to an equal value, and canonical JSON does not depend on the order of keys', () => {
  forAll((pick) => {
    const value = pick.json()
    assert.deepEqual(parseJson(stringifyJson(value)), value)
    assert.deepEqual(parseJson(canonicalJson(value)), value)
    assert.equal(canonicalJson(reversed(value)), canonicalJson(value))
  })
})

test('a list of pairs with quoted values parses to the same pairs', () => {
  const quote = (value: string): string => `"${value.replaceAll(/["\\]/g, '\\$&')}"`
  forAll((pick) => {
    const entries = Array.from({ length: pick.int(4) }, (_, i): [string, string] => [`k${i}`, pick.text()])
    const text = entries.map(([key, value]) => `${key}:${quote(value)}`).join(' , ')
    assert.deepEqual(parseKeyValueList(text), entries)
  })
})

test('a properties file with every character escaped parses to the same pairs', () => {
  const escape = (text: string): string =>
    [...text]
      .flatMap((c) => c.split(''))
      .map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join('')
  forAll((pick) => {
    const entries = Array.from({ length: pick.int(4) }, (_, i): [string, string] => [`${i}${pick.text()}`, pick.text()])
    const text = entries.map(([key, value]) => `${escape(key)} = ${escape(value)}`).join('\r\n')
    assert.deepEqual([...parseProperties(text)], entries)
  })
})

test('the parts of a text with references make up the text', () => {
  forAll((pick) => {
    const text = pick.text(40)
    assert.equal([...splitReferences(text)].map((p) => (typeof p === 'string' ? p : p.source)).join(''), text)
  })
})
