import assert from 'node:assert/strict'
import test from 'node:test'
import { internalTopic as byNaming } from '@tributary/config'
import type { PluginEntry } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import { silentLog } from '@tributary/telemetry/testing'
import { FILE_SOURCE, type TestApi, testApi } from '../testing/test-api.ts'
import type { ConfigInfos } from './config-validator.ts'

const config = { 'connector.class': 'FileStreamSource', name: 'a', topic: 't' }

async function validate(api: TestApi, more: Readonly<Record<string, string | null>>): Promise<ConfigInfos> {
  const path = '/connector-plugins/FileStreamSource/config/validate'
  return (await api.call('PUT', path, { ...config, ...more })).body as ConfigInfos
}

const errorsOf = ({ configs }: ConfigInfos): [string, string][] =>
  configs.flatMap(({ value }) => value.errors.map((text): [string, string] => [value.name, text]))

test('validate lists the framework keys first, config lists them last; strict mode leaves out our own keys', async () => {
  for (const strict of [false, true]) {
    const api = testApi({ strict })
    const names = (await validate(api, {})).configs.map(({ value }) => value.name)
    const described = (await api.call('GET', '/connector-plugins/FileStreamSource/config')).body as { name: string }[]
    assert.deepEqual(names.slice(-3), ['file', 'topic', 'batch.size'])
    assert.deepEqual(
      described.slice(0, 4).map(({ name }) => name),
      ['file', 'topic', 'batch.size', 'name'],
    )
    assert.equal(described.length, strict ? 23 : 32)
    assert.equal(names.includes('errors.deadletterqueue.topic.name'), !strict)
  }
})

test('tasks.max may have the comment that documents have behind it, unless strict', async () => {
  const more = { 'tasks.max': '8  # Increase number of tasks' }
  assert.deepEqual(errorsOf(await validate(testApi(), more)), [])
  assert.equal(errorsOf(await validate(testApi({ strict: true }), more))[0]?.[0], 'tasks.max')
})

test('error_count counts errors, not settings', async () => {
  const infos = await validate(testApi(), { 'tasks.max': 'x', 'batch.size': 'y' })
  assert.equal(infos.error_count, 3)
  assert.equal(errorsOf(infos).length, 3)
})

test('a null of an unknown key comes first, without a definition; a null of a known key has its definition', async () => {
  const infos = await validate(testApi(), { unknown: null, topic: null })
  assert.deepEqual([infos.configs[0]?.definition, infos.configs[0]?.value.name], [null, 'unknown'])
  assert.equal(infos.configs.find(({ value }) => value.name === 'topic')?.definition?.name, 'topic')
  assert.deepEqual(
    errorsOf(infos).map(([name]) => name),
    ['unknown', 'topic'],
  )
})

test('a key that every JavaScript object inherits is a key like any other', async () => {
  for (const key of ['constructor', 'toString', 'valueOf', 'hasOwnProperty', '__proto__']) {
    const api = testApi()
    // A literal or Object.assign would set the prototype.
    const sent = (value: string | null): string =>
      JSON.stringify(config).replace('}', `,"${key}":${JSON.stringify(value)}}`)
    const json = { 'content-type': 'application/json' }
    const path = '/connector-plugins/FileStreamSource/config/validate'
    const infos = (await api.call('PUT', path, sent(null), json)).body as ConfigInfos
    assert.deepEqual(errorsOf(infos), [[key, 'Null value can not be supplied as the configuration value.']], key)
    assert.equal((await api.call('PUT', '/connectors/a/config', sent(null), json)).status, 400, key)
    assert.equal((await api.call('PUT', '/connectors/a/config', sent('kept'), json)).status, 201, key)
    const kept = (await api.call('GET', '/connectors/a/config')).body as object
    assert.equal(Object.getOwnPropertyDescriptor(kept, key)?.value, 'kept', key)
    assert.equal((await api.call('PATCH', '/connectors/a/config', `{"${key}":null}`, json)).status, 200, key)
    assert.ok(!Object.hasOwn((await api.call('GET', '/connectors/a/config')).body as object, key), key)
  }
})

test('a misspelt key is listed with the key that was meant, unless strict, and the log warns of it', async () => {
  const warnings: unknown[] = []
  const log: Logger = { ...silentLog, warn: (event, fields) => void warnings.push([event, fields?.['key'], fields?.['nearest']]) } // prettier-ignore
  const more = { 'batch.sise': '1', 'tasks.maxx': '1', note: 'x' }
  const api = testApi({ log })
  const infos = await validate(api, more)
  const entry = (name: string, nearest: string): unknown => {
    return { definition: null, value: { name, value: null, recommended_values: [nearest], errors: [], visible: true } }
  }
  assert.equal(infos.error_count, 0)
  assert.deepEqual(infos.configs.filter(({ definition }) => definition === null), [entry('batch.sise', 'batch.size'), entry('tasks.maxx', 'tasks.max')]) // prettier-ignore
  assert.equal((await api.call('POST', '/connectors', { name: 'a', config: { ...config, ...more } })).status, 201)
  assert.deepEqual(warnings, [
    ['config_key_unknown', 'batch.sise', 'batch.size'],
    ['config_key_unknown', 'tasks.maxx', 'tasks.max'],
  ])
  const strict = await validate(testApi({ strict: true }), more)
  assert.ok(strict.configs.every(({ definition }) => definition !== null))
})

const ROUTER: PluginEntry = {
  class: 'x.RegexRouter',
  aliases: [],
  type: 'transformation',
  version: '1',
  service: 'file-ingest',
  spec: { keys: { regex: { type: 'string', importance: 'high', doc: 'What to match.' } } },
}

test("an alias adds the settings of its class, under the alias's prefix and in its group", async () => {
  const api = testApi({ plugins: [FILE_SOURCE, ROUTER] })
  const infos = await validate(api, { transforms: 'r', 'transforms.r.type': 'x.RegexRouter' })
  assert.deepEqual(errorsOf(infos), [
    ['transforms.r.regex', 'Missing required configuration "transforms.r.regex" which has no default value.'],
  ])
  const definitions = infos.configs.flatMap(({ definition }) => definition ?? [])
  assert.deepEqual(
    definitions.filter(({ group }) => group === 'Transforms: r').map(({ name, order }) => [name, order]),
    [
      ['transforms.r.type', 0],
      ['transforms.r.regex', 1],
      ['transforms.r.negate', 2],
      ['transforms.r.predicate', 3],
    ],
  )
  assert.ok(infos.groups.includes('Transforms: r'))
})

test('the class of an alias is found by its simple name, and a class that cannot be used is told by why', async () => {
  const masks = ['Key', 'Value'].map((side) => ({ ...ROUTER, class: `org.apache.kafka.Mask$${side}` }))
  const tombstone: PluginEntry = { ...ROUTER, class: 'x.Tombstone', type: 'predicate', spec: { keys: {} } }
  const api = testApi({ plugins: [FILE_SOURCE, ROUTER, ...masks, { ...masks[1]!, class: 'a.Mask$Value' }, tombstone] })
  const type = async (name: string, more = {}): Promise<[string | null, readonly string[]]> => {
    const infos = await validate(api, {
      transforms: 'a',
      'transforms.a.type': name,
      'transforms.a.regex': 'x',
      ...more,
    })
    const { value, errors } = infos.configs.find((info) => info.value.name === 'transforms.a.type')!.value
    return [value, errors]
  }
  assert.deepEqual(await type('RegexRouter'), ['x.RegexRouter', []])
  assert.deepEqual(await type('Mask$Value'), ['org.apache.kafka.Mask$Value', []])
  assert.deepEqual(await type('a.Mask$Value'), ['a.Mask$Value', []])
  assert.deepEqual(await type('${env:TYPE}'), ['${env:TYPE}', []])
  assert.deepEqual(await type('x.Tombstone'), [
    'x.Tombstone',
    ['Class class x.Tombstone does not implement the Transformation interface'],
  ])
  assert.deepEqual(await type('org.apache.kafka.Mask'), [
    'org.apache.kafka.Mask',
    [
      'This class is abstract and cannot be created. Did you mean org.apache.kafka.Mask$Value, org.apache.kafka.Mask$Key?',
    ],
  ])
  const alone = "Config 'transforms.a.negate' was provided but there is no config 'transforms.a.predicate' defining a predicate to be negated." // prettier-ignore
  assert.deepEqual(await type('RegexRouter', { 'transforms.a.negate': 'true' }), ['x.RegexRouter', [alone]])
})

test('an alias that is listed twice, has no class or an unknown class is an error', async () => {
  const infos = await validate(testApi(), {
    transforms: 'a,b,a',
    'transforms.a.type': 'nix',
    'topic.creation.groups': 'x, x',
  })
  assert.deepEqual(errorsOf(infos), [
    ['transforms', 'Invalid value [a, b, a] for configuration transforms: Duplicate alias provided.'],
    [
      'topic.creation.groups',
      'Invalid value [x, x] for configuration topic.creation.groups: Duplicate alias provided.',
    ],
    ['transforms.a.type', 'Invalid value nix for configuration transforms.a.type: Class nix could not be found.'],
    ['transforms.b.type', 'Missing required configuration "transforms.b.type" which has no default value.'],
  ])
})

test('more regular expressions of groups of topics than can be compiled in passing are refused with 400', async () => {
  const answer = async (count: number) => {
    const patterns = Array.from({ length: count }, (_, n) => `t${n}`)
    const [include, exclude] = [patterns.slice(0, 60).join(','), patterns.slice(60).join(',')]
    const groups = {
      'topic.creation.groups': 'a,b',
      'topic.creation.a.include': include,
      'topic.creation.b.exclude': exclude,
    }
    return (await validate(testApi(), groups)) as unknown as { error_code?: number; message?: string }
  }
  assert.equal((await answer(100)).error_code, undefined)
  assert.deepEqual(await answer(101), {
    error_code: 400,
    message: 'The groups of topic.creation.groups list 101 regular expressions; at most 100 are allowed',
  })
})

test('more aliases than a chain can have are refused, with 400 and without an answer for each', async () => {
  for (const key of ['transforms', 'predicates', 'topic.creation.groups']) {
    const infos = await validate(testApi(), { [key]: 'a,'.repeat(100_000) })
    assert.deepEqual(infos, {
      error_code: 400,
      message: `The setting ${key} lists 100001 aliases; at most 100 are allowed`,
    })
  }
})

test('an expression of a group of topics that cannot be read in linear time is an error', async () => {
  const group = {
    'topic.creation.groups': 'x,y',
    'topic.creation.x.include': 'orders-.*, a++',
    'topic.creation.x.exclude': '(?<n>a)',
  }
  const infos = await validate(testApi(), { ...group, 'topic.creation.y.exclude': '(?!a).*,(' })
  const errors = errorsOf(infos)
    .map((error) => error.join(' '))
    .filter((error) => error.startsWith('topic.creation'))
  assert.equal(errors.length, 3)
  assert.match(
    errors[0]!,
    /^topic\.creation\.x\.include Invalid value a\+\+ for .*: \+\+ in the regular expression keeps/,
  )
  assert.match(errors[1]!, /^topic\.creation\.y\.exclude Invalid value \(\?!a\)\.\* for .* looks around/)
})

test('a pattern of a published spec may go back or be broken: the answer comes at once, with the reason', async () => {
  const spec = (regex: string): PluginEntry['spec'] => ({
    keys: {
      ...FILE_SOURCE.spec.keys,
      file: { ...FILE_SOURCE.spec.keys['file']!, validator: { kind: 'pattern', regex, message: 'only a' } },
    },
    prefixes: { 'x.': { suffix: regex, importance: 'low', doc: '' } },
  })
  const unreadable = (part: string): string => `the regular expression cannot be read: missing closing ): \`${part}\``
  for (const [regex, reason, nameReason] of [
    ['^(a+)+$', 'only a', '"…" is not a name that may follow the prefix'],
    ['(', unreadable('('), unreadable('(?:()')],
  ] as const) {
    const api = testApi({ plugins: [{ ...FILE_SOURCE, spec: spec(regex) }] })
    const text = `${'a'.repeat(50_000)}b`
    const errors = errorsOf(await validate(api, { file: text, [`x.${text}`]: '' })).map(([name, error]) => [
      name.replace(text, '…'),
      error.replaceAll(text, '…'),
    ])
    assert.deepEqual(errors, [
      ['x.…', `Invalid value  for configuration x.…: ${nameReason}`],
      ['file', `Invalid value … for configuration file: ${reason}`],
    ])
  }
})

test('an alias of a class is listed beside the class and finds it', async () => {
  const api = testApi({ plugins: [{ ...FILE_SOURCE, aliases: ['com.example.LinesConnector'] }, ROUTER] })
  assert.deepEqual((await api.call('GET', '/connector-plugins')).body, [
    { class: 'com.example.LinesConnector', type: 'source', version: '3.9.1' },
    { class: FILE_SOURCE.class, type: 'source', version: '3.9.1' },
  ])
  const all = (await api.call('GET', '/connector-plugins?connectorsOnly=false')).body as unknown[]
  assert.equal(all.length, 3)
  for (const name of ['com.example.LinesConnector', 'Lines']) {
    assert.equal((await api.call('GET', `/connector-plugins/${name}/config`)).status, 200)
  }
})

test('an internal topic is refused as a target and as a dead-letter queue, also one that settings name', async () => {
  const keys = { ...FILE_SOURCE.spec.keys }
  keys['topic'] = { ...keys['topic']!, validator: { kind: 'topicName' } }
  const plugins = [{ ...FILE_SOURCE, spec: { keys } }]
  const internalTopic = (topic: string): string | null => (topic === 'my-configs' ? 'it is ours' : byNaming(topic))
  const api = testApi({ plugins, internalTopic })
  const why = (topic: string): string => `'${topic}' is an internal topic of a Connect cluster. Choose another topic`
  const refused = async (more: Readonly<Record<string, string>>): Promise<[string, string][]> =>
    errorsOf(await validate(api, more))
  assert.deepEqual(await refused({ topic: 'other-connect-configs' }), [
    ['topic', `Invalid value other-connect-configs for configuration topic: ${why('other-connect-configs')}`],
  ])
  assert.deepEqual(await refused({ topic: 'my-configs' }), [
    ['topic', 'Invalid value my-configs for configuration topic: it is ours'],
  ])
  assert.match((await refused({ topic: '__transaction_state' }))[0]![1], /internal topic of Kafka/)
  const dlq = 'errors.deadletterqueue.topic.name'
  assert.deepEqual(await refused({ [dlq]: 'connect-offsets' }), [
    [dlq, `Invalid value connect-offsets for configuration ${dlq}: ${why('connect-offsets')}`],
  ])
  assert.deepEqual(await refused({ topic: 'connect-status-changes', [dlq]: 'order-status' }), [])
})
