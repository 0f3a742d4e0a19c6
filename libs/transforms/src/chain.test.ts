import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, type ConnectRecord, type Props, type Transformation } from '@tributary/connect-api'
import { defineConfig } from '@tributary/config'
import { type ChainPlugins, closeChain, createChain } from './chain.ts'
import { definePredicate, defineTransformation, keyAndValue } from './define.ts'

const closed: string[] = []
const suffix = defineTransformation({
  class: 'com.example.Suffix',
  aliases: ['Append'],
  spec: defineConfig({ text: { type: 'string', importance: 'high', doc: 'What is appended to the topic.' } }),
  create: ({ text }): Transformation => ({
    apply: (record) => ({ ...record, topic: record.topic + text }),
    close: () => {
      closed.push(text)
      if (text === 'fails') throw new Error(text)
    },
  }),
})
const upper = keyAndValue('com.example.Upper', defineConfig({}), (side) => ({
  apply: (record) => side.with(record, side.schema(record), String(side.value(record)).toUpperCase()),
}))
const onTopic = definePredicate({
  class: 'com.example.OnTopic',
  spec: defineConfig({ topic: { type: 'string', importance: 'high', doc: 'The topic.' } }),
  create: ({ topic }) => ({ test: (record) => record.topic === topic, close: () => void closed.push(`on ${topic}`) }),
})
const PLUGINS: ChainPlugins = { transformations: [suffix, ...upper], predicates: [onTopic] }

const RECORD: ConnectRecord = { topic: 't', key: 'k', value: 'v', timestamp: null }

function run(props: Props, record: ConnectRecord = RECORD): ConnectRecord | null {
  let current: ConnectRecord | null = record
  for (const stage of createChain(props, PLUGINS)) current = current && stage.apply(current)
  return current
}

function refusal(props: Props): [string | undefined, string] {
  let found: [string | undefined, string] | undefined
  assert.throws(
    () => createChain(props, PLUGINS),
    (error) => {
      assert.ok(error instanceof ConfigError, String(error))
      found = [error.field, error.message]
      return true
    },
  )
  return found!
}

test('transforms are applied in the order of their aliases, under class, simple name and alias', () => {
  const props = {
    transforms: 'b, a ,c',
    'transforms.a.type': 'com.example.Suffix',
    'transforms.a.text': '-a',
    'transforms.b.type': ' Suffix ',
    'transforms.b.text': '-b',
    'transforms.c.type': 'Append',
    'transforms.c.text': '-c',
  }
  assert.equal(run(props)?.topic, 't-b-a-c')
  assert.equal(run({}), RECORD)
  assert.equal(run({ transforms: ' ' }), RECORD)
})

test('the forms for key and value change their side alone, and the record that comes in stays as it is', () => {
  const record = Object.freeze({ ...RECORD })
  assert.deepEqual(run({ transforms: 'u', 'transforms.u.type': 'Upper$Key' }, record), {
    ...RECORD,
    key: 'K',
    keySchema: null,
  })
  const { key, value } = run({ transforms: 'u', 'transforms.u.type': 'com.example.Upper$Value' }, record)!
  assert.deepEqual([key, value], ['k', 'V'])
})

test('a predicate decides, and negate turns its answer', () => {
  const props = {
    transforms: 'a',
    'transforms.a.type': 'Suffix',
    'transforms.a.text': '!',
    'transforms.a.predicate': 'p',
    predicates: 'p',
    'predicates.p.type': 'OnTopic',
    'predicates.p.topic': 't',
  }
  const negated = { ...props, 'transforms.a.negate': 'TRUE' }
  assert.equal(run(props)?.topic, 't!')
  assert.equal(run(negated)?.topic, 't')
  assert.equal(run(props, { ...RECORD, topic: 'u' })?.topic, 'u')
  assert.equal(run(negated, { ...RECORD, topic: 'u' })?.topic, 'u!')
})

test("a wrong chain is refused on the whole key, with Kafka Connect's texts", () => {
  const a = { transforms: 'a', 'transforms.a.type': 'Suffix', 'transforms.a.text': 'x' }
  assert.deepEqual(refusal({ ...a, transforms: 'a,a' }), [
    'transforms',
    'Invalid value [a, a] for configuration transforms: Duplicate alias provided.',
  ])
  assert.deepEqual(refusal({ ...a, predicates: 'p,p' })[0], 'predicates')
  assert.deepEqual(refusal({ transforms: 'a' }), [
    'transforms.a.type',
    'Invalid value null for configuration transforms.a.type: Not a Transformation',
  ])
  assert.deepEqual(refusal({ ...a, predicates: 'p' }), [
    'predicates.p.type',
    'Invalid value null for configuration predicates.p.type: Not a Predicate',
  ])
  assert.deepEqual(refusal({ ...a, 'transforms.a.type': 'Nix' }), [
    'transforms.a.type',
    'Invalid value Nix for configuration transforms.a.type: Class Nix could not be found.',
  ])
  assert.deepEqual(refusal({ ...a, 'transforms.a.predicate': 'p', 'predicates.p.type': 'OnTopic' }), [
    'transforms.a.predicate',
    "Unknown configuration 'predicates.p.type'",
  ])
  assert.deepEqual(refusal({ ...a, 'transforms.a.negate': 'false' }), [
    'transforms.a.type',
    "Config 'transforms.a.negate' was provided but there is no config 'transforms.a.predicate' defining a predicate to be negated.",
  ])
  assert.deepEqual(refusal({ transforms: 'a', 'transforms.a.type': 'Suffix' }), [
    'transforms.a.text',
    'Missing required configuration "text" which has no default value.',
  ])
  assert.equal(refusal({ transforms: '__proto__' })[0], 'transforms.__proto__.type')
})

test('a chain that cannot be made closes what was made of it, and a stage that does not close keeps no other from closing', () => {
  const two = {
    transforms: 'a,b',
    'transforms.a.type': 'Suffix',
    'transforms.a.text': 'fails',
    'transforms.a.predicate': 'p',
    'transforms.b.type': 'Suffix',
    'transforms.b.text': 'b',
    predicates: 'p',
    'predicates.p.type': 'OnTopic',
    'predicates.p.topic': 't',
  }
  closed.length = 0
  const failures = closeChain(createChain(two, PLUGINS))
  assert.deepEqual(closed, ['fails', 'on t', 'b'])
  assert.equal(String(failures), 'Error: fails')
  closed.length = 0
  refusal({ ...two, 'transforms.b.type': 'Nix' })
  assert.deepEqual(closed, ['fails', 'on t'])
})
