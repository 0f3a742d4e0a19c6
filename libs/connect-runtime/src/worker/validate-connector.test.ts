import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigError, type Props, type SourceConnector, type SourcePlugin } from '@tributary/connect-api'
import { providerSettings, providersFrom, defineConfig } from '@tributary/config'
import { defineTransformation } from '@tributary/transforms'
import { ScriptedTask } from '../testing/scripted-task.ts'
import { type CheckEnvironment, checkOffsets, validateConnector } from './validate-connector.ts'

const PROVIDERS = providersFrom(
  defineConfig(providerSettings).parse({
    'config.providers': 'env',
    'config.providers.env.param.allowlist.pattern': 'CHECK_OFFSETS_TOKEN',
  }),
  { CHECK_OFFSETS_TOKEN: 'hunter22' },
)
const worker = (exactlyOnceSource: boolean): CheckEnvironment => ({ exactlyOnceSource, providers: PROVIDERS })
const CONFIG: Props = { name: 'c', 'connector.class': 'test.Scripted' }

function plugin(connector: Partial<SourceConnector> = {}): SourcePlugin {
  return {
    class: 'test.Scripted',
    aliases: [],
    version: '1',
    taskClass: 'test.ScriptedTask',
    connector: {
      spec: { keys: { token: { type: 'password', default: null, importance: 'low', doc: '', group: 'x' } } },
      taskConfigs: (config) => [config],
      ...connector,
    },
    createTask: () => new ScriptedTask(),
  }
}

test('exactly once is refused when the worker or the connector does not support it, with one error for each', async () => {
  const required = { ...CONFIG, 'exactly.once.support': 'Required' }
  assert.deepEqual(await validateConnector(plugin(), required, worker(false)), [
    { field: 'exactly.once.support', message: 'This worker does not have exactly-once source support enabled.' },
    {
      field: 'exactly.once.support',
      message: 'The connector does not support exactly-once semantics with the provided configuration.',
    },
  ])
  assert.deepEqual(await validateConnector(plugin({ exactlyOnce: () => true }), required, worker(true)), [])
  const requested = { ...CONFIG, 'exactly.once.support': 'requested' }
  assert.deepEqual(await validateConnector(plugin(), requested, worker(false)), [])
})

test('what the spec of a transform calls a password is hidden in errors', async () => {
  const seal = defineTransformation({
    class: 'com.example.Seal',
    spec: defineConfig({ pin: { type: 'password', importance: 'high', doc: 'A pin.' } }),
    create: (_config, { pin }) => {
      throw new ConfigError('NO_PIN', `${pin} is too short`, { field: 'pin' })
    },
  })
  const config = { ...CONFIG, transforms: 'a', 'transforms.a.type': 'Seal', 'transforms.a.pin': 'zW91-first' }
  const own = { ...worker(false), transforms: { transformations: [seal] } }
  const message = '[hidden] is too short'
  assert.deepEqual(await validateConnector(plugin(), config, own), [{ field: 'transforms.a.pin', message }])
})

test('connector-defined transactions are refused when the connector cannot define them', async () => {
  const config = { ...CONFIG, 'transaction.boundary': 'CONNECTOR' }
  const [error] = await validateConnector(plugin(), config, worker(true))
  assert.equal(error?.field, 'transaction.boundary')
  assert.match(error.message, /^The connector does not support connector-defined transaction boundaries/)
  assert.deepEqual(
    await validateConnector(plugin({ canDefineTransactionBoundaries: () => true }), config, worker(true)),
    [],
  )
})

test('a producer override that cannot be honoured is an error on its key', async () => {
  const config = { ...CONFIG, 'producer.override.linger.ms': '5', 'producer.override.bootstrap.servers': 'x:1' }
  const errors = await validateConnector(plugin(), config, worker(true))
  assert.deepEqual(
    errors.map(({ field }) => field),
    ['producer.override.bootstrap.servers'],
  )
})

test('checkOffsets resolves references, and its error names the field and hides secrets', async () => {
  const judged: Props[] = []
  const refusing = plugin({
    checkOffsets: (config) => {
      judged.push(config)
      throw new ConfigError('X', `not with ${config['token']}`, { field: 'token' })
    },
  })
  const config = { ...CONFIG, token: '${env:CHECK_OFFSETS_TOKEN}' }
  const errors = await checkOffsets(refusing, config, [{ partition: { a: 1 }, offset: null }], PROVIDERS)
  assert.deepEqual(errors, [{ field: 'token', message: 'not with [hidden]' }])
  assert.equal(judged[0]?.['token'], 'hunter22')
  assert.deepEqual(await checkOffsets(plugin(), config, [], PROVIDERS), [])
})

test('checkOffsets returns a ConfigError without a field, and throws any other error of the plugin', async () => {
  const throwing = (error: Error): SourcePlugin =>
    plugin({
      checkOffsets: () => {
        throw error
      },
    })
  const refused = await checkOffsets(throwing(new ConfigError('X', 'no such feed')), CONFIG, [], PROVIDERS)
  assert.deepEqual(refused, [{ field: '', message: 'no such feed' }])
  await assert.rejects(checkOffsets(throwing(new TypeError('bug')), CONFIG, [], PROVIDERS), TypeError)
})

test('a check ends with its request, although the code of the plugin does not', async () => {
  const gone = new AbortController()
  let seen: AbortSignal | undefined
  const validate = (_: Props, signal: AbortSignal): Promise<never> => {
    seen = signal
    return new Promise(() => {})
  }
  const checked = validateConnector(plugin({ validate }), CONFIG, worker(true), gone.signal)
  setImmediate(() => gone.abort(new Error('the client went away')))
  await assert.rejects(checked, /the client went away/)
  assert.equal(seen?.aborted, true)
})

test('a check that takes too long is an error, since the next worker would not be faster', async (t) => {
  const over = new AbortController()
  t.mock.method(AbortSignal, 'timeout', () => over.signal)
  const checked = validateConnector(plugin({ validate: () => new Promise(() => {}) }), CONFIG, worker(true))
  setImmediate(() => over.abort(new DOMException('too late', 'TimeoutError')))
  const [error] = await checked
  assert.match(error?.message ?? '', /^The worker could not check the configuration within 20 s/)
})
