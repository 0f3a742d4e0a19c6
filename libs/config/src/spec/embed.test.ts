import assert from 'node:assert/strict'
import { test } from 'node:test'
import { describeConfig } from './describe.ts'
import { embedSpec } from './embed.ts'
import type { ConfigSpecData, KeySpec } from './spec.ts'
import { validateConfig } from './validate.ts'

const key = (more: Partial<KeySpec> = {}): KeySpec => ({ type: 'string', importance: 'medium', doc: 'A key.', ...more })

const SPEC: ConfigSpecData = {
  keys: {
    b: key({ default: null, validator: { kind: 'nonEmpty' } }),
    a: key({ default: 1, type: 'int', dependents: ['b'] }),
    low: key({ default: null, importance: 'low' }),
    required: key({ importance: 'low' }),
    grouped: key({ default: null, group: 'Own', importance: 'high' }),
  },
  prefixes: { 'header.': { importance: 'low', doc: 'Headers.', suffix: '[a-z]+' } },
  rules: [
    { rule: 'requires', key: 'low', needs: ['b'], on: 'b' },
    { rule: 'atMostOneOf', keys: ['a', 'grouped'] },
    { rule: 'visibleWhen', key: 'grouped', when: 'low', equals: ['x'] },
  ],
}

test('an embedded spec has the order, groups and names of ConfigDef.embed', () => {
  const embedded = embedSpec(SPEC, { prefix: 't.x.', group: 'T: x', firstOrder: 1 })
  assert.deepEqual(
    describeConfig(embedded).map(({ name, group, order, display_name, dependents }) => [
      ...[name, group, order, display_name],
      ...dependents,
    ]),
    [
      ['t.x.required', 'T: x', 1, 'required'],
      ['t.x.a', 'T: x', 2, 'a', 't.x.b'],
      ['t.x.b', 'T: x', 3, 'b'],
      ['t.x.low', 'T: x', 4, 'low'],
      ['t.x.grouped', 'T: x: Own', 5, 'grouped'],
    ],
  )
})

test('its checks know a key without the prefix, and its rules with it', () => {
  const embedded = embedSpec(SPEC, { prefix: 't.x.', group: 'T: x', firstOrder: 1 })
  const props = { 't.x.required': 'r', 't.x.b': '', 't.x.a': 'x', 't.x.low': 'l', 't.x.header.A': 'h' }
  const { values } = validateConfig(embedded, props)
  assert.deepEqual(values.flatMap(({ name, errors }) => errors.map((text) => [name, text])).slice(0, 2), [
    ['t.x.a', 'Invalid value x for configuration t.x.a: Not a number of type INT'],
    ['t.x.b', 'Invalid value  for configuration b: String may not be empty'],
  ])
  assert.equal(values.find(({ name }) => name === 't.x.grouped')?.visible, false)
  assert.match(values.find(({ name }) => name === 't.x.header.A')!.errors[0]!, /t\.x\.header\.A/)
  const alone = validateConfig(embedded, { 't.x.required': 'r', 't.x.low': 'l' })
  assert.match(alone.values.find(({ name }) => name === 't.x.b')!.errors[0]!, /t\.x\./)
})
