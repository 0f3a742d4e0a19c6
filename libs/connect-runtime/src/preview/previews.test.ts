import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { systemClock } from '@tributary/async'
import { type ConfigProviders, stringifyJson } from '@tributary/config'
import {
  DataError,
  MemoryBudget,
  NotConnectedError,
  type Polled,
  type Props,
  type SourcePlugin,
  type SourceRecord,
  type SourceTask,
  type TaskContext,
} from '@tributary/connect-api'
import { createProducerPool } from '@tributary/kafka-producer'
import { silentLog } from '@tributary/telemetry/testing'
import { failScopeOf } from '../isolation/plugin-scope.ts'
import { FakeConfigStore } from '../testing/fake-config-store.ts'
import { FakeOffsets } from '../testing/fake-offsets.ts'
import type { PreviewOutcome, PreviewRequest } from './answer.ts'
import { Previews } from './previews.ts'

const dataDir = await mkdtemp(join(tmpdir(), 'previews-'))
after(() => rm(dataDir, { recursive: true, force: true }))

const NEVER = new AbortController().signal
const hangs = (): Promise<never> => new Promise(() => {})
const record = (value: unknown, more: Partial<SourceRecord> = {}): SourceRecord => ({
  ...{ topic: 'out', key: null, value, timestamp: null, sourcePartition: { p: 1 }, sourceOffset: { o: 1n } },
  ...more,
})

interface Scene {
  readonly previews: Previews
  readonly configs: FakeConfigStore
  /** Calls of the task, in order. */
  readonly calls: string[]
  readonly contexts: TaskContext[]
  run(request?: Partial<PreviewRequest>, gone?: AbortSignal): Promise<PreviewOutcome>
}

function scene(
  behaviour: Partial<SourceTask> = {},
  plugin: Partial<SourcePlugin> = {},
  providers: ConfigProviders = {},
): Scene {
  const calls: string[] = []
  const contexts: TaskContext[] = []
  const createTask = (): SourceTask => {
    const polls: Polled[][] = [[record('a'), record('b')], [record('c')]]
    const task: SourceTask = {
      start: async (context) => void contexts.push(context),
      connect: async () => {},
      poll: async () => polls.shift() ?? [],
      stop: async () => {},
      commitRecord: () => {},
      commitBatch: () => {},
      commit: async () => {},
      ...behaviour,
    }
    return Object.fromEntries(
      Object.entries(task).map(([name, method]) => [
        name,
        (...args: unknown[]) => {
          calls.push(name)
          return (method as (...args: unknown[]) => unknown)(...args)
        },
      ]),
    ) as unknown as SourceTask
  }
  const source: SourcePlugin = {
    class: 'test.Source',
    aliases: [],
    version: '1',
    taskClass: 'test.Task',
    handOver: () => ({ maxConnectionAgeMs: 0 }),
    connector: {
      spec: { keys: { password: { type: 'password', importance: 'high', doc: '' } } },
      taskConfigs: (config, max) => Array.from({ length: Math.min(2, max) }, () => config),
    },
    createTask,
    ...plugin,
  }
  const configs = new FakeConfigStore()
  const previews = new Previews({
    plugins: [source],
    environment: {
      producers: createProducerPool({ brokers: [], clientId: 'test' }, 'tributary'),
      groupId: 'g',
      offsets: new FakeOffsets(),
      admin: { createTopic: () => assert.fail('a topic is created') },
      exactlyOnceSource: true,
      handOverTimeoutMs: 1000,
      dataDir,
      memory: new MemoryBudget(Infinity),
      defaults: {},
      providers,
      clock: systemClock,
      log: silentLog,
    },
    topics: {
      describeTopics: async ([topic]) => new Map([[topic!, topic === 'out' ? { partitions: [1, 2, 3] } : null]]),
    },
    snapshot: () => configs.snapshot,
  })
  const run: Scene['run'] = ({ config, ...more } = {}, gone = NEVER) => {
    const full: Props = { 'connector.class': 'test.Source', name: 'c', ...config }
    const request = { connector: null, task: 0, records: 3, seconds: 5, force: false, ...more, config: full }
    return previews.run(source, request, gone)
  }
  return { previews, configs, calls, contexts, run }
}

function shown(outcome: PreviewOutcome) {
  assert.ok('preview' in outcome, stringifyJson(outcome))
  return outcome.preview
}

describe('a preview', () => {
  test('polls until it has its records, acknowledges nothing, and leaves nothing in the data folder', async () => {
    const { run, calls, contexts } = scene({
      start: async (context) => {
        contexts.push(context)
        // A bug of a source, which should write nothing in a preview.
        await mkdir(context.dataDir, { recursive: true })
        await writeFile(join(context.dataDir, 'spill'), 'x')
      },
    })
    const preview = shown(await run())
    assert.deepEqual(preview.records.map(({ written }) => (written!.value as { text: string }).text), ['a', 'b', 'c']) // prettier-ignore
    assert.deepEqual([preview.ended, preview.tasks, preview.offsets], ['records', 1, 'none'])
    assert.deepEqual(
      calls.filter((call) => call.startsWith('commit')),
      [],
    )
    assert.equal(calls.at(-1), 'stop')
    assert.deepEqual(contexts[0]!.preview, { maxRecords: 3 })
    assert.equal(existsSync(join(dataDir, '.previews')), false)
  })

  test('shows what the key decides, what chance decides, and topics that a run would make', async () => {
    const polls = [
      [record('x', { key: 'k' }), record('x'), record('x', { partition: 2 }), record('x', { key: 'k', topic: 'new' })],
    ]
    const outcome = await scene({ poll: async () => polls.shift() ?? [] }).run({ records: 4 })
    const { records, topics } = shown(outcome)
    assert.deepEqual(records.map(({ written }) => written!.partition), [records[0]!.written!.partition, null, 2, null]) // prettier-ignore
    assert.notEqual(records[0]!.written!.partition, null)
    assert.deepEqual(topics, [
      { name: 'out', exists: true, partitions: 3 },
      { name: 'new', exists: false, partitions: null },
    ])
  })

  test('shows bad records with what becomes of them', async () => {
    const error = new DataError('BAD', 'not to be read')
    const bad = { poll: async () => [record(null, { error, original: Buffer.from('raw') })] }
    const outcome = async (config: Props) => shown(await scene(bad).run({ records: 1, config })).records[0]!
    const strict = await outcome({})
    assert.deepEqual([strict.outcome, strict.error?.stage, strict.error?.message], ['fails_task', 'TASK_POLL', 'not to be read']) // prettier-ignore
    assert.equal((await outcome({ 'errors.tolerance': 'all' })).outcome, 'skipped')
    const dead = await outcome({ 'errors.tolerance': 'all', 'errors.deadletterqueue.topic.name': 'dlq' })
    assert.deepEqual([dead.outcome, dead.dead_letter?.topic, dead.dead_letter?.value], ['dead_letter', 'dlq', { text: 'raw', size: 3 }]) // prettier-ignore
    assert.ok(dead.dead_letter!.headers.some(({ name }) => name === '__connect.errors.exception.message'))
  })

  test('hides the secrets of its own configuration in data, errors and offsets', async () => {
    const secret = 'qZ7_kW-93xTfLm2'
    const echo = { poll: async () => [record(`login ${secret}`, { sourceOffset: { url: secret } })] }
    const config = { password: secret }
    const { records } = shown(await scene(echo).run({ records: 1, config }))
    assert.deepEqual(records[0]!.written!.value, { text: 'login [hidden]', size: 21, redacted: true })
    assert.ok(!stringifyJson(records).includes(secret))
    const refuses = { connect: () => Promise.reject(new NotConnectedError('X', `${secret} is wrong`)) }
    assert.deepEqual(await scene(refuses).run({ config }), { failed: 'unreached', message: '[hidden] is wrong' })
  })
})

describe('the end of a preview', { concurrency: true }, () => {
  test('comes in time for a source that hangs, whatever it ignores', async () => {
    for (const name of ['connect', 'poll'] as const) {
      const { run, calls } = scene({ [name]: hangs })
      const outcome = await run({ seconds: 0.05 })
      if (name === 'connect') assert.equal('failed' in outcome && outcome.failed, 'slow')
      else assert.equal(shown(outcome).ended, 'time')
      assert.equal(calls.at(-1), 'stop')
    }
  })

  test('comes when the caller goes', async () => {
    const gone = new AbortController()
    const { run, calls } = scene({ connect: async () => gone.abort(), poll: hangs })
    assert.equal('failed' in (await run({}, gone.signal)), true)
    assert.equal(calls.at(-1), 'stop')
  })

  test('comes when code of the source throws where nobody catches', async () => {
    const { run, calls } = scene({
      poll: () => {
        failScopeOf(new Error('in a callback'))
        return hangs()
      },
    })
    const outcome = await run()
    assert.match(JSON.stringify(outcome), /^\{"failed":"bug",.*in a callback; this is a bug of the plugin/)
    assert.equal(calls.at(-1), 'stop')
  })

  test('tells why the source ended, and what it had sent before', async () => {
    const lost = new NotConnectedError('GONE', 'end of stream')
    const polls = [[record('a')]]
    const outcome = await scene({ poll: async () => polls.shift() ?? Promise.reject(lost) }).run()
    const { ended, reason, records } = shown(outcome)
    assert.deepEqual([ended, reason, records.length], ['source', 'The source ended the connection: end of stream', 1])
    const done = await scene({ poll: async () => [], completed: () => 'The stream is complete.' }).run()
    assert.deepEqual([shown(done).ended, shown(done).reason], ['source', 'The stream is complete.'])
  })

  test('is a config error for a task that is not there, and for a topic that may not be made', async () => {
    assert.deepEqual(await scene().run({ task: 5 }), {
      errors: [{ field: 'task', message: 'There is no task 5: the configuration has 1 tasks, from 0 on' }],
    })
    const other = { poll: async () => [record('x', { topic: 'missing' })] }
    const outcome = await scene(other).run({ config: { 'topic.creation.enable': 'false' } })
    assert.match(JSON.stringify(outcome), /"errors":.*topic missing does not exist/)
  })
})

test('a worker makes two previews at a time', async () => {
  const { run } = scene({ connect: hangs })
  const outcomes = await Promise.all([1, 2, 3].map(() => run({ seconds: 0.05 })))
  assert.deepEqual(outcomes.map((outcome) => 'failed' in outcome && outcome.failed).sort(), ['busy', 'slow', 'slow'])
})

describe('a connector that may be disturbed', () => {
  const alone = { 'task.handover.overlap': 'never' }
  const store = async ({ configs }: Scene, name: string, config: Props = {}): Promise<void> => {
    await configs.putConnectorConfig(name, { 'connector.class': 'test.Source', name, ...config })
  }

  test('is named, unless runs may overlap, or it is stopped, or the caller insists', async () => {
    const one = scene()
    await store(one, 'runs')
    assert.equal('preview' in (await one.run()), true, 'both may overlap')
    const why = 'the source may allow one connection only, and end the other one'
    assert.deepEqual(await one.run({ config: alone }), { disturbs: { connectors: ['runs'], why } })
    await store(one, 'alone', alone)
    assert.deepEqual(await one.run(), { disturbs: { connectors: ['alone'], why } })
    assert.equal('preview' in (await one.run({ force: true })), true)
    await one.configs.putTargetState('alone', 'PAUSED')
    assert.equal('disturbs' in (await one.run()), true)
    await one.configs.putTargetState('alone', 'STOPPED')
    assert.equal('preview' in (await one.run()), true)
  })

  test('is not waited for beyond the time, when a file of secrets hangs', async () => {
    const one = scene({}, {}, { file: { lookup: hangs } })
    await store(one, 'orders', { ...alone, user: '${file:path:user}' })
    assert.deepEqual(await one.run({ seconds: 0.05 }), {
      failed: 'slow',
      message: 'The preview got nothing within 0.05 s: the source, or Kafka, did not answer.',
    })
  })

  test('reads the same source, by the names that the plugin gives', async () => {
    const preview = (config: Props) => ({
      sources: [config['queue'] ?? ''],
      disturbs: 'it takes messages',
      leaves: 'Hm.',
    })
    const one = scene({}, { preview })
    await store(one, 'orders', { queue: 'orders' })
    const disturbs = { connectors: ['orders'], why: 'it takes messages' }
    assert.deepEqual(await one.run({ config: { queue: 'orders' } }), { disturbs })
    assert.equal(shown(await one.run({ config: { queue: 'other' } })).source, 'Hm.')
  })
})

describe('transforms', () => {
  const CHAIN = {
    transforms: 'route,drop,mask',
    'transforms.route.type': 'org.apache.kafka.connect.transforms.RegexRouter',
    'transforms.route.regex': 'out',
    'transforms.route.replacement': 'routed',
    'transforms.mask.type': 'org.apache.kafka.connect.transforms.MaskField$Value',
    'transforms.mask.fields': 'card',
    'transforms.mask.replacement': 'x',
    'transforms.drop.type': 'org.apache.kafka.connect.transforms.Filter',
    'transforms.drop.predicate': 'dead',
    predicates: 'dead',
    'predicates.dead.type': 'org.apache.kafka.connect.transforms.predicates.RecordIsTombstone',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter.schemas.enable': 'false',
  }

  test('are shown one by one, with the record after each and the one that filtered it out', async () => {
    const polls = [[record({ card: '4711' }), record(null), record('no fields')]]
    const config = { ...CHAIN, 'errors.tolerance': 'all' }
    const { records } = shown(await scene({ poll: async () => polls.shift() ?? [] }).run({ config }))
    assert.deepEqual(
      records.map(({ outcome, filtered_by: by, error, transforms }) => [
        outcome,
        by ?? error?.class,
        transforms.map(({ alias, outcome: did, record: after }) => [alias, did, after?.topic, after?.value.value]),
      ]),
      [
        ['written', undefined, [
          ['route', 'changed', 'routed', { card: '4711' }],
          ['drop', 'unchanged', undefined, undefined],
          ['mask', 'changed', 'routed', { card: 'x' }],
        ]],
        ['filtered', 'drop', [
          ['route', 'changed', 'routed', null],
          ['drop', 'filtered', undefined, undefined],
        ]],
        ['skipped', 'org.apache.kafka.connect.transforms.MaskField$Value', [
          ['route', 'changed', 'routed', 'no fields'],
          ['drop', 'unchanged', undefined, undefined],
          ['mask', 'failed', undefined, undefined],
        ]],
      ],
    ) // prettier-ignore
    assert.deepEqual(records[0]!.written!.value, { text: '{"card":"x"}', size: 12 })
    assert.equal(records[0]!.polled.topic, 'out')
  })

  test('that make an illegal topic make a bad record, and the preview goes on', async () => {
    const config = {
      ...{ transforms: 'to', 'transforms.to.type': 'io.tributary.connect.transforms.Route' },
      ...{ 'transforms.to.topic.expression': 'value', 'errors.tolerance': 'all' },
    }
    const polls = [[record('a b'), record('orders')]]
    const { records } = shown(await scene({ poll: async () => polls.shift() ?? [] }).run({ records: 2, config }))
    assert.deepEqual(records.map(({ outcome, error }) => [outcome, error?.stage]), [['skipped', 'TRANSFORMATION'], ['written', undefined]]) // prettier-ignore
  })

  test('that are wrong are a mistake in the configuration', async () => {
    const outcome = await scene().run({ config: { ...CHAIN, 'transforms.mask.type': 'no.Such' } })
    assert.match(JSON.stringify(outcome), /"errors":\[\{"field":"transforms.mask.type",/)
  })
})
