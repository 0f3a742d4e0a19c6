import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigException } from '../values/config-exception.ts'
import { defineConfig, mergeSpecs } from './define.ts'
import type { ConfigOf } from './define.ts'
import { Secret, type SecretLike } from '../values/secret.ts'

const spec = defineConfig(
  {
    host: { type: 'string', validator: { kind: 'nonEmpty' }, importance: 'high', doc: 'Host.' },
    port: { type: 'int', validator: { kind: 'range', min: 1, max: 65_535 }, importance: 'high', doc: 'Port.' },
    attempts: { type: 'int', default: -1, stripComment: true, importance: 'low', doc: 'Attempts.' },
    token: { type: 'password', default: null, importance: 'low', doc: 'Token.' },
    cert: { type: 'string', default: null, importance: 'low', doc: 'Certificate.' },
    key: { type: 'string', default: null, sensitive: true, importance: 'low', doc: 'Key.' },
    tags: { type: 'list', default: [], importance: 'low', doc: 'Tags.' },
    resume: { type: 'boolean', default: false, importance: 'low', doc: 'Resume.' },
    mode: {
      type: 'string',
      default: 'poll',
      validator: { kind: 'oneOf', values: ['poll', 'push'] },
      importance: 'low',
      doc: 'Mode.',
    },
    message: { type: 'string', default: null, untrimmed: true, importance: 'low', doc: 'Message.' },
    url: {
      type: 'string',
      default: null,
      validator: { kind: 'url', schemes: ['ws', 'wss'] },
      importance: 'low',
      doc: 'URL.',
    },
  },
  {
    prefixes: {
      'meta.': { importance: 'low', doc: 'Metadata.', suffix: '[a-z-]+', sensitive: true },
      'text.': { importance: 'low', doc: 'Text.', untrimmed: true },
    },
    rules: [
      { rule: 'requires', key: 'cert', needs: ['key'] },
      { rule: 'requires', key: 'key', needs: ['cert'] },
      { rule: 'requires', key: 'resume', needs: ['cert'], on: 'cert' },
      { rule: 'requiredWhen', key: 'url', when: 'mode', equals: ['push'] },
      { rule: 'visibleWhen', key: 'url', when: 'mode', equals: ['push'] },
    ],
  },
)
const valid = { host: 'h', port: '1' }
const errorsOf = (props: Record<string, string | null>): string[] =>
  spec.validate(props).values.flatMap((v) => v.errors)

test('parsed values have their types, and an unset key has its default', () => {
  const values: ConfigOf<typeof spec> = spec.parse({ host: ' h ', port: ' 443 ', tags: 'a, b', resume: 'FALSE' })
  const port: number = values.port
  const token: SecretLike | null = values.token
  assert.equal(values.host, 'h')
  assert.equal(port, 443)
  assert.equal(token, null)
  assert.deepEqual(values.tags, ['a', 'b'])
  assert.equal(values.resume, false)
  assert.equal(values.attempts, -1)
})

test('keys and families that are untrimmed keep every character of their text', () => {
  const message = '\n{"a":1}\u001e'
  assert.equal(spec.parse({ ...valid, message }).message, message)
  assert.deepEqual({ ...spec.prefixed({ 'text.1': ' \n\n\0', 'meta.a': ' a' }, 'text.') }, { 1: ' \n\n\0' })
  assert.deepEqual({ ...spec.prefixed({ 'meta.a': ' a\n' }, 'meta.') }, { a: 'a' })
})

test('parse throws every error of every key at once, framed as Connect does', () => {
  assert.throws(
    () => spec.parse({ port: 'x', resume: 'yes', mode: null }),
    (error: unknown) => {
      assert.ok(error instanceof ConfigException)
      assert.deepEqual(error.errors, [
        { name: 'host', message: 'Missing required configuration "host" which has no default value.' },
        { name: 'port', message: 'Invalid value x for configuration port: Not a number of type INT' },
        {
          name: 'resume',
          message: 'Invalid value yes for configuration resume: Expected value to be either true or false',
        },
        { name: 'mode', message: 'Null value can not be supplied as the configuration value.' },
      ])
      assert.equal(
        error.message,
        'Connector configuration is invalid and contains the following 4 error(s):\n' +
          error.errors.map((e) => `${e.message}\n`).join('') +
          'You can also find the above list of errors at the endpoint `/connector-plugins/{connectorType}/config/validate`',
      )
      return true
    },
  )
})

test('a key given as undefined counts as absent', () => {
  assert.equal(spec.parse({ ...valid, mode: undefined }).mode, 'poll')
})

test('keys that every object inherits are not taken for settings', () => {
  const inherits = defineConfig({ constructor: { type: 'string', default: null, importance: 'low', doc: 'd' } })
  assert.equal(inherits.parse({}).constructor, null)
})

test('the value of a secret appears in no error, answer or printed result', () => {
  const canary = 'canary-5f1c'
  const answer = spec.validate({ ...valid, token: canary, key: canary, 'meta.BAD': canary })
  assert.ok(!JSON.stringify(answer).includes(canary))
  assert.equal(answer.values.find((v) => v.name === 'token')?.value, '[hidden]')
  assert.equal(answer.values.find((v) => v.name === 'key')?.value, '[hidden]')
  assert.deepEqual(answer.values.find((v) => v.name === 'meta.BAD')?.errors, [
    'Invalid value [hidden] for configuration meta.BAD: "BAD" is not a name that may follow the prefix',
  ])
  assert.deepEqual(errorsOf({ ...valid, url: `ftp://u:${canary}@a/` }), [
    'Invalid value ftp://[hidden]@a/ for configuration url: URL must use ws:// or wss:// scheme, got: ftp',
  ])
  const { token } = spec.parse({ ...valid, token: canary })
  assert.ok(token instanceof Secret)
  assert.equal(`${String(token)} ${JSON.stringify({ token })}`, '[hidden] {"token":"[hidden]"}')
  assert.equal(token.reveal(), canary)
})

test('a trailing comment is taken off the keys that allow it, and only off them', () => {
  assert.equal(spec.parse({ ...valid, attempts: '-1  # infinite retries' }).attempts, -1)
  assert.equal(spec.parse({ ...valid, host: 'a # b' }).host, 'a # b')
  assert.deepEqual(errorsOf({ ...valid, attempts: '5#no' }), [
    'Invalid value 5#no for configuration attempts: Not a number of type INT',
  ])
})

test('half a pair is an error on the key that is set', () => {
  assert.deepEqual(errorsOf({ ...valid, cert: 'c.pem' }), [
    'Invalid value c.pem for configuration cert: cert needs key to be set too',
  ])
  assert.deepEqual(errorsOf({ ...valid, cert: 'c.pem', key: 'k.pem' }), [])
  assert.deepEqual(errorsOf({ ...valid, cert: 'c.pem', key: '' }), [
    'Invalid value c.pem for configuration cert: cert needs key to be set too',
  ])
})

test('a boolean asks for what it requires when true, and the error is on the key that the rule names', () => {
  assert.deepEqual(errorsOf({ ...valid, resume: 'false' }), [])
  const answer = spec.validate({ ...valid, resume: 'true' })
  assert.deepEqual(answer.values.find((v) => v.name === 'cert')?.errors, [
    'Invalid value null for configuration cert: resume needs cert to be set too',
  ])
})

test('requiredWhen asks for a key, and visibleWhen shows it, by the value of another', () => {
  const url = (props: Record<string, string>) =>
    spec.validate({ ...valid, ...props }).values.find((v) => v.name === 'url')
  assert.equal(url({})?.visible, false)
  assert.deepEqual(url({})?.errors, [])
  assert.equal(url({ mode: 'push' })?.visible, true)
  assert.deepEqual(url({ mode: 'push' })?.errors, [
    'Missing required configuration "url", which is needed when "mode" is push.',
  ])
})

test('atLeastOneOf wants one key with a value', () => {
  const key = { type: 'string', default: null, importance: 'low', doc: 'd' } as const
  const keys = { a: key, b: key }
  const plain = defineConfig(keys, { rules: [{ rule: 'atLeastOneOf', keys: ['a', 'b'] }] })
  const worded = defineConfig(keys, { rules: [{ rule: 'atLeastOneOf', keys: ['a', 'b'], message: 'set one' }] })
  assert.deepEqual(plain.validate({ b: '' }).values[0]?.errors, ['Missing required configuration: one of a, b must be set.']) // prettier-ignore
  assert.deepEqual(worded.validate({}).values[0]?.errors, ['Invalid value null for configuration a: set one'])
  assert.equal(plain.validate({ a: 'x', b: 'y' }).errorCount, 0)
})

test('exactlyOneOf and atMostOneOf count what is set', () => {
  const key = { type: 'string', default: null, importance: 'low', doc: 'd' } as const
  const one = defineConfig({ a: key, b: key }, { rules: [{ rule: 'exactlyOneOf', keys: ['a', 'b'] }] })
  const most = defineConfig(
    { a: key, b: key },
    { rules: [{ rule: 'atMostOneOf', keys: ['a', 'b'], message: 'take one' }] },
  )
  assert.deepEqual(one.validate({}).values[0]?.errors, ['Missing required configuration: one of a, b must be set.'])
  assert.equal(one.validate({ b: 'x' }).errorCount, 0)
  assert.deepEqual(one.validate({ a: 'x', b: 'y' }).values[0]?.errors, [
    'Invalid value x for configuration a: only one of a, b may be set',
  ])
  assert.equal(most.validate({}).errorCount, 0)
  assert.deepEqual(most.validate({ a: 'x', b: 'y' }).values[0]?.errors, [
    'Invalid value x for configuration a: take one',
  ])
})

test('a value that holds a reference is left to the worker when asked so', () => {
  const props = { ...valid, port: '${file:/etc/s.properties:port}', resume: '${env:R}', key: '${env:K}', cert: 'c' }
  const deferred = spec.validate(props, { deferReferences: true })
  assert.equal(deferred.errorCount, 0)
  assert.equal(deferred.values.find((v) => v.name === 'port')?.value, '${file:/etc/s.properties:port}')
  assert.equal(deferred.values.find((v) => v.name === 'key')?.value, '[hidden]')
  assert.ok(spec.validate(props).errorCount > 0)
})

test('prefixed settings are answered without their prefix, trimmed', () => {
  const props = { 'meta.a': ' 1 ', 'meta.__proto__': 'x', meta: 'no', metaz: 'no' }
  const found = spec.prefixed(props, 'meta.')
  assert.deepEqual(Object.entries(found), [
    ['a', '1'],
    ['__proto__', 'x'],
  ])
  assert.deepEqual(spec.prefixed(props, 'meta'), found)
})

test('a name that every object inherits finds no prefixed setting', () => {
  const found = spec.prefixed({ 'meta.a': '1' }, 'meta.')
  for (const name of ['constructor', 'toString', '__proto__']) assert.equal(found[name], undefined)
})

test('the values of a family are checked, and those with references once they are resolved', () => {
  const family = { importance: 'low', doc: 'Topics.', validator: { kind: 'topicName' } } as const
  const topics = defineConfig({}, { prefixes: { 'topic.': family } })
  const [bad] = topics.validate({ 'topic.a': 'bad topic!', 'topic.b': ' good ' }).values
  assert.deepEqual([bad?.name, bad?.errors.length], ['topic.a', 1])
  assert.match(bad?.errors[0] ?? '', /^Invalid value bad topic! for configuration topic\.a: Topic name is invalid/)
  assert.equal(topics.validate({ 'topic.a': '${env:TOPIC}' }, { deferReferences: true }).errorCount, 0)
  assert.throws(() => topics.parse({ 'topic.a': '${env:TOPIC}' }), ConfigException)
  assert.match(topics.toMarkdown(), /Topics\. Accepts the name of a topic\./)
})

test('unknown keys are left out of the answer, except those with a null', () => {
  const names = spec.validate({ ...valid, other: 'x', nothing: null }).values.map((v) => v.name)
  assert.ok(!names.includes('other'))
  assert.equal(names.at(-1), 'nothing')
})

test('a class that is not known did not parse', () => {
  const c = defineConfig({
    converter: {
      type: 'class',
      default: null,
      validator: { kind: 'knownClass', names: ['a.B'] },
      importance: 'low',
      doc: 'd',
    },
  })
  assert.deepEqual(c.validate({ converter: 'x.Y' }).values[0], {
    name: 'converter',
    value: null,
    recommended_values: [],
    errors: ['Invalid value x.Y for configuration converter: Class x.Y could not be found.'],
    visible: true,
  })
  assert.equal(c.validate({ converter: 'a.B' }).values[0]?.value, 'a.B')
})

test('definitions have the members of Connect, in its order', () => {
  const d = defineConfig({
    a: { type: 'long', default: 5n, importance: 'low', doc: 'Doc.' },
    b: {
      type: 'password',
      default: 'x',
      importance: 'high',
      doc: 'Doc.',
      group: 'G',
      width: 'long',
      displayName: 'B',
      dependents: ['a'],
    },
    c: { type: 'list', importance: 'medium', doc: 'Doc.', group: 'G' },
  })
  assert.equal(
    JSON.stringify(d.describe()),
    JSON.stringify([
      {
        name: 'a',
        type: 'LONG',
        required: false,
        default_value: '5',
        importance: 'LOW',
        documentation: 'Doc.',
        group: null,
        width: 'NONE',
        display_name: 'a',
        dependents: [],
        order: -1,
      },
      {
        name: 'b',
        type: 'PASSWORD',
        required: false,
        default_value: '[hidden]',
        importance: 'HIGH',
        documentation: 'Doc.',
        group: 'G',
        width: 'LONG',
        display_name: 'B',
        dependents: ['a'],
        order: 1,
      },
      {
        name: 'c',
        type: 'LIST',
        required: true,
        default_value: null,
        importance: 'MEDIUM',
        documentation: 'Doc.',
        group: 'G',
        width: 'NONE',
        display_name: 'c',
        dependents: [],
        order: 2,
      },
    ]),
  )
})

test('a spec is data: it validates the same after a way through JSON', () => {
  const published = JSON.parse(JSON.stringify(spec.data)) as typeof spec.data
  const props = { port: '70000', cert: 'x', mode: 'push', url: 'http://x' }
  const again = defineConfig(published.keys, { prefixes: published.prefixes ?? {}, rules: published.rules ?? [] })
  assert.deepEqual(again.validate(props), spec.validate(props))
})

test('a declaration that contradicts itself is refused', () => {
  const base = { importance: 'low', doc: 'd' } as const
  assert.throws(() => defineConfig({ a: { ...base, type: 'int', default: 'x' } }), /its default is no int/)
  assert.throws(
    () => defineConfig({ a: { ...base, type: 'int', default: 0, validator: { kind: 'range', min: 1 } } }),
    /own check/,
  )
  assert.throws(() => defineConfig({ a: { ...base, type: 'string', doc: ' ' } }), /has no doc/)
  assert.throws(() => defineConfig({ a: { ...base, type: 'string', dependents: ['b'] } }), /dependent b/)
  assert.throws(() => defineConfig({}, { rules: [{ rule: 'exactlyOneOf', keys: ['a'] }] }), /names a/)
})

test('specs merge, and a key that two of them declare differently is refused', () => {
  const a = defineConfig({ a: { type: 'string', importance: 'low', doc: 'd' } }).data
  const b = defineConfig({ b: { type: 'string', importance: 'low', doc: 'd' } }).data
  const other = defineConfig({ a: { type: 'int', importance: 'low', doc: 'd' } }).data
  assert.deepEqual(Object.keys(mergeSpecs(a, b, a).keys), ['a', 'b'])
  assert.throws(() => mergeSpecs(a, other), /Configuration a is defined twice/)
})
