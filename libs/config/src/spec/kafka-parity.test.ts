import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { defineConfig } from './define.ts'
import { type ConfigType, parseValue, valueText } from '../values/parse-value.ts'
import { parseProperties } from '../providers/properties.ts'
import { splitReferences } from '../values/references.ts'
import { Secret } from '../values/secret.ts'

interface ParseCase {
  readonly type: ConfigType
  readonly input: string
  readonly text?: string
  readonly list?: readonly string[]
  readonly error?: string
}

/** What Kafka's own classes answer; see fixtures/ConfigOracle.java. */
const kafka = JSON.parse(readFileSync(new URL('../../fixtures/kafka-clients-3.9.1.json', import.meta.url), 'utf8')) as {
  parse: ParseCase[]
  validate: { props: Record<string, string>; values: Record<string, { value: string | null; errors: string[] }> }[]
  properties: { input: string; entries: Record<string, string> }[]
  references: { input: string; output: string }[]
}

// A LONG that a number cannot hold exactly is an error here, and JavaScript writes doubles its own way.
const differs = (c: ParseCase): boolean =>
  (c.type === 'long' && c.error === undefined && !Number.isSafeInteger(Number(c.input))) ||
  (c.type === 'double' && c.error === undefined)

test('values parse as Kafka parses them, with its texts', () => {
  const cases = kafka.parse.filter((c) => !differs(c))
  assert.ok(cases.length > 250)
  for (const { type, input, text, list, error } of cases) {
    const outcome = parseValue(input, type)
    const what = `${type} ${JSON.stringify(input)}`
    if (error !== undefined) {
      assert.ok('reason' in outcome, what)
      assert.equal(`Invalid value ${input} for configuration k: ${outcome.reason}`, error, what)
    } else {
      assert.ok('value' in outcome, what)
      const { value } = outcome
      if (list) assert.deepEqual(value, list, what)
      else assert.equal(value instanceof Secret ? value.reveal() : valueText(value, type), text, what)
    }
  }
})

test('doubles have the value that Kafka gives them', () => {
  for (const { input, text } of kafka.parse.filter((c) => c.type === 'double' && c.error === undefined)) {
    const outcome = parseValue(input, 'double')
    assert.ok('value' in outcome, input)
    assert.equal(outcome.value, Number(text), input)
  }
})

test('a LONG beyond the safe integers is refused rather than rounded', () => {
  for (const { input } of kafka.parse.filter((c) => c.type === 'long' && differs(c))) {
    assert.deepEqual(parseValue(input, 'long'), {
      reason: 'Value must be between -9007199254740991 and 9007199254740991',
    })
  }
})

const spec = defineConfig({
  range: {
    type: 'int',
    default: 1,
    validator: { kind: 'range', min: 1, rejectNull: true },
    importance: 'high',
    doc: 'd',
  },
  between: {
    type: 'long',
    default: 5,
    validator: { kind: 'range', min: 1, max: 10, rejectNull: true },
    importance: 'high',
    doc: 'd',
  },
  one: {
    type: 'string',
    default: 'none',
    validator: { kind: 'oneOf', values: ['none', 'all'] },
    importance: 'low',
    doc: 'd',
  },
  onei: {
    type: 'string',
    default: 'none',
    validator: { kind: 'oneOf', values: ['none', 'all'], ignoreCase: true },
    importance: 'low',
    doc: 'd',
  },
  name: { type: 'string', validator: { kind: 'nameText' }, importance: 'low', doc: 'd' },
  must: { type: 'long', importance: 'medium', doc: 'd' },
  pass: { type: 'password', default: 'secret', importance: 'medium', doc: 'd' },
  list: { type: 'list', default: ['a', 'b'], importance: 'medium', doc: 'd' },
  dbl: { type: 'double', default: 1, importance: 'medium', doc: 'd' },
  bool: { type: 'boolean', default: false, importance: 'medium', doc: 'd' },
})

test('validation answers the values and errors of ConfigDef.validate', () => {
  for (const { props, values } of kafka.validate) {
    const ours = spec.validate(props).values.map((v) => [v.name, { value: v.value, errors: v.errors }] as const)
    assert.deepEqual(Object.fromEntries(ours), values)
  }
})

test('properties files read as java.util.Properties reads them', () => {
  for (const { input, entries } of kafka.properties) {
    assert.deepEqual(Object.fromEntries(parseProperties(input)), entries, JSON.stringify(input))
  }
})

test('references are found where ConfigTransformer finds them', () => {
  const answer = (provider: string, path: string, key: string): string | undefined => {
    if (provider === 'map' && key !== 'none') return `<${path}|${key}>`
    if (provider === 'env' && path === '') return { A: 'va', B: '${env:A}' }[key]
    return undefined
  }
  for (const { input, output } of kafka.references) {
    const parts = [...splitReferences(input)]
    const resolved = parts.map((p) => (typeof p === 'string' ? p : (answer(p.provider, p.path, p.key) ?? p.source)))
    assert.equal(resolved.join(''), output, JSON.stringify(input))
  }
})
