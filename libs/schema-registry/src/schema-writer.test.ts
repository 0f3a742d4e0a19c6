import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { NotReadyError } from '@tributary/connect-api'
import { SchemaReader } from './schema-reader.ts'
import { SchemaWriter } from './schema-writer.ts'
import { type Answered, type FakeRegistry, fakeRegistry } from './testing.ts'

const { signal } = new AbortController()

interface Key {
  readonly text: string
}

async function ready<T>(find: () => T): Promise<T> {
  for (;;) {
    try {
      return find()
    } catch (error) {
      if (!(error instanceof NotReadyError)) throw error
      await error.ready(signal)
    }
  }
}

/** A writer whose `find` gives the id, how strict the check is to be, and how often `prepare` was called. */
async function scene(
  t: TestContext,
  settings: Readonly<Record<string, string>>,
  answer: (request: string) => Answered,
): Promise<{
  registry: FakeRegistry
  find: (topic: string, key: Key) => Promise<[id: number, strict: boolean, made: number]>
  clock: { now: number }
}> {
  const registry = await fakeRegistry(t, answer)
  const clock = { now: 0 }
  let made = 0
  const props = { 'schema.registry.url': registry.url, ...settings }
  const writer = new SchemaWriter<Key, [number, boolean, number]>(
    props,
    false,
    {
      describe: ({ text }) => ({ format: 'AVRO', schema: text, recordName: 'r.R' }),
      prepare: (_key, { id }, strict) => [id, strict, ++made],
    },
    () => clock.now,
  )
  return { registry, clock, find: (topic, key) => ready(() => writer.find(topic, key)) }
}

test('a schema is registered once for each subject, whatever object it is', async (t) => {
  const { registry, find } = await scene(t, {}, () => ({ body: { id: 4 } }))
  const key = { text: '"int"' }
  for (let i = 0; i < 3; i++) {
    assert.deepEqual(await find('a', key), [4, false, 1])
    assert.deepEqual((await find('a', { text: '"int"' }))[0], 4)
    await find('b', key)
  }
  await find('a', { text: '"long"' })
  assert.deepEqual(registry.requests, [
    'POST /subjects/a-value/versions?normalize=false',
    'POST /subjects/b-value/versions?normalize=false',
    'POST /subjects/a-value/versions?normalize=false',
  ])
})

test('two writers with the same settings share what the registry said', async (t) => {
  const registry = await fakeRegistry(t, () => ({ body: { id: 4 } }))
  const props = { 'schema.registry.url': registry.url }
  for (const isKey of [false, false]) {
    const writer = new SchemaWriter(props, isKey, {
      describe: () => ({ format: 'AVRO', schema: '"int"', recordName: null }),
      prepare: (_key, { id }) => id,
    })
    assert.equal(await ready(() => writer.find('a', props)), 4)
  }
  assert.equal(registry.requests.length, 1)
})

const CHOICES: readonly [settings: Readonly<Record<string, string>>, request: string, strict: boolean][] = [
  [{ 'auto.register.schemas': 'false' }, 'POST /subjects/a-value?normalize=false&deleted=false', false],
  [
    { 'auto.register.schemas': 'false', 'normalize.schemas': 'true' },
    'POST /subjects/a-value?normalize=true&deleted=false',
    false,
  ],
  [{ 'use.latest.version': 'true' }, 'POST /subjects/a-value/versions?normalize=false', false],
  [{ 'auto.register.schemas': 'false', 'use.latest.version': 'true' }, 'GET /subjects/a-value/versions/latest', true],
  [
    { 'auto.register.schemas': 'false', 'use.latest.version': 'true', 'latest.compatibility.strict': 'false' },
    'GET /subjects/a-value/versions/latest',
    false,
  ],
  [{ 'auto.register.schemas': 'false', 'use.schema.id': '4' }, 'GET /schemas/ids/4?fetchMaxId=false', true],
  [
    { 'auto.register.schemas': 'false', 'use.schema.id': '4', 'id.compatibility.strict': 'false' },
    'GET /schemas/ids/4?fetchMaxId=false',
    false,
  ],
  [{ 'value.subject.name.strategy': 'RecordNameStrategy' }, 'POST /subjects/r.R/versions?normalize=false', false],
]
for (const [settings, request, strict] of CHOICES) {
  test(`${JSON.stringify(settings)} asks ${request}`, async (t) => {
    const { registry, find } = await scene(t, settings, () => ({ body: { id: 4, schema: '"int"', version: 1 } }))
    assert.deepEqual(await find('a', { text: '"int"' }), [4, strict, 1])
    assert.deepEqual(registry.requests, [request])
  })
}

test('a source may write to thousands of topics, and what writes a schema is made once', async (t) => {
  const { registry, find } = await scene(t, {}, () => ({ body: { id: 4 } }))
  const key = { text: '"int"' }
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < 1100; i++) assert.deepEqual(await find(`t${i}`, key), [4, false, 1])
  }
  assert.equal(registry.requests.length, 1100)
})

test('the latest version is asked for again after its lifetime', async (t) => {
  let id = 1
  const settings = { 'auto.register.schemas': 'false', 'use.latest.version': 'true', 'latest.cache.ttl.sec': '10' }
  const { find, clock } = await scene(t, settings, () => ({ body: { id: id++, schema: '"int"' } }))
  const key = { text: '"int"' }
  assert.equal((await find('a', key))[0], 1)
  clock.now = 9999
  assert.equal((await find('a', key))[0], 1)
  clock.now = 10_000
  assert.equal((await find('a', key))[0], 2)
})

test('a lifetime of 0 asks for each record, and a record is written with what it waited for', async (t) => {
  let id = 1
  const settings = { 'auto.register.schemas': 'false', 'use.latest.version': 'true', 'latest.cache.ttl.sec': '0' }
  const { find } = await scene(t, settings, () => {
    if (id > 9) throw new Error('asked again and again')
    return { body: { id: id++, schema: '"int"' } }
  })
  const key = { text: '"int"' }
  assert.equal((await find('a', key))[0], 1)
  assert.equal((await find('a', key))[0], 2)
})

test('the same text in another format is another schema', async (t) => {
  let id = 1
  const registry = await fakeRegistry(t, () => ({ body: { id: id++ } }))
  const props = { 'schema.registry.url': registry.url }
  for (const format of ['AVRO', 'JSON'] as const) {
    const writer = new SchemaWriter(props, false, {
      describe: () => ({ format, schema: '{"type":"string"}', recordName: null }),
      prepare: (_key, chosen) => chosen,
    })
    assert.equal((await ready(() => writer.find('a', props))).format, format)
  }
  assert.equal(registry.requests.length, 2)
})

test('what the registry refuses is not asked again for five seconds', async (t) => {
  let answer: Answered = { status: 409, body: { error_code: 409, message: 'Incompatible' } }
  const { registry, find, clock } = await scene(t, {}, () => answer)
  const key = { text: '"int"' }
  for (const now of [0, 4999]) {
    clock.now = now
    await assert.rejects(find('a', key), { code: 'SCHEMA_REFUSED' })
  }
  assert.equal(registry.requests.length, 1)
  answer = { body: { id: 3 } }
  clock.now = 5000
  assert.equal((await find('a', key))[0], 3)
})

test('a reader gets a schema with all that it refers to, and asks once', async (t) => {
  const reference = (name: string, subject: string) => ({ name, subject, version: 1 })
  const answers: Readonly<Record<string, unknown>> = {
    'GET /schemas/ids/1?fetchMaxId=false': { schema: 'A', references: [reference('B', 'b'), reference('C', 'c')] },
    'GET /subjects/b/versions/1': { id: 2, schema: 'Bs', references: [reference('C', 'c')] },
    'GET /subjects/c/versions/1': { id: 3, schema: 'Cs' },
  }
  const registry = await fakeRegistry(t, (request) => ({ body: answers[request] ?? { message: 'no' } }))
  const reader = new SchemaReader({ 'schema.registry.url': registry.url }, (schema) => schema)
  const found = await ready(() => reader.find(1))
  assert.deepEqual(found.dependencies, [
    { name: 'C', schema: 'Cs' },
    { name: 'B', schema: 'Bs' },
  ])
  assert.equal(reader.find(1), found)
  assert.equal(registry.requests.length, 3)
})

test('references in a circle are refused', async (t) => {
  const registry = await fakeRegistry(t, (request) => {
    const next = Number(/(\d+)/.exec(request)![1]) + 1
    return { body: { id: next, schema: 'X', references: [{ name: `n${next}`, subject: `s${next}`, version: 1 }] } }
  })
  const reader = new SchemaReader({ 'schema.registry.url': registry.url }, (schema) => schema)
  await assert.rejects(
    ready(() => reader.find(1)),
    { code: 'SCHEMA_REFUSED', message: /nested more than 32 deep/ },
  )
})

test('a registry cannot keep a task busy with references without end', async (t) => {
  let names = 0
  const reference = () => ({ name: `n${++names}`, subject: `s${names}`, version: 1 })
  const registry = await fakeRegistry(t, (request) => ({
    body: {
      id: 1,
      schema: 'X',
      references: request.startsWith('GET /schemas') ? Array.from({ length: 2000 }, reference) : [],
    },
  }))
  const reader = new SchemaReader({ 'schema.registry.url': registry.url }, (schema) => schema)
  await assert.rejects(
    ready(() => reader.find(1)),
    { code: 'SCHEMA_REFUSED', message: /more than 1000 references/ },
  )
  assert.equal(registry.requests.length, 1002)
})
