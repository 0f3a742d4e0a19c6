import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { freePort, kafkaAnswers, temporaryFolder } from '@tributary/harness'
import { allGone, launch, launchToEnd, newPlace } from './launcher.ts'
import { until } from '../support/until.ts'

test('a taken port is reported in one sentence, before anything is started', async (t) => {
  const { env, restPort, operatorsPort } = await newPlace()
  const cases = [
    [restPort, 'the REST API', 'TRIBUTARY_REST_PORT'],
    [operatorsPort, "the operators' API", 'TRIBUTARY_OPERATORS_PORT'],
  ] as const
  for (const [port, what, key] of cases) {
    const holder = createServer().listen(port, '127.0.0.1')
    t.after(() => holder.close())
    const output = `Port ${port} of ${what} is taken by another program: stop that one, or set ${key} to a free port.\n`
    assert.deepEqual(await launchToEnd([], env), { code: 1, output })
    holder.close()
  }
})

test('without Docker and Java the error says so in one sentence', async () => {
  const { env } = await newPlace()
  const { code, output } = await launchToEnd([], { ...env, PATH: temporaryFolder('path') })
  assert.equal(code, 1)
  assert.match(
    output,
    /^(starting kafka.*\n)?Java is needed to run Kafka and `java` was not found: .*KAFKA_BROKERS.*\.\n$/,
  )
})

test('the error for a Kafka that does not answer contains its address', async () => {
  const { env } = await newPlace()
  const { code, output } = await launchToEnd([], { ...env, KAFKA_BROKERS: `127.0.0.1:${await freePort()}` })
  assert.equal(code, 1)
  assert.match(output, /^(starting kafka.*\n)?Kafka at 127\.0\.0\.1:\d+ \(KAFKA_BROKERS\) does not answer: .*\n$/)
})

test('the error for a Node that is too old says what to do', async () => {
  const { env } = await newPlace()
  const pretend = `Object.defineProperty(process, 'versions', { value: { node: '20.11.0' } })`
  const old = `data:text/javascript,${encodeURIComponent(pretend)}`
  const { code, output } = await launchToEnd([], { ...env, NODE_OPTIONS: `--import=${old}` })
  assert.equal(code, 1)
  assert.match(output, /^Tributary needs Node 24 or newer and this is Node 20\.11\.0: run `npm ci`.*\n$/)
})

test('an unknown argument is refused, and --help explains the known ones', async () => {
  const { env } = await newPlace()
  const refused = await launchToEnd(['--services', 'nothing'], env)
  assert.equal(refused.code, 1)
  assert.match(refused.output, /^There is no service nothing; there are control-plane, .*, demo-feed\.\n$/)
  const { code, output } = await launchToEnd(['--help'], env)
  assert.equal(code, 0)
  for (const word of ['--no-demo', '--services', '--scale', '--kafka-only', 'KAFKA_BROKERS']) {
    assert.ok(output.includes(word), word)
  }
})

test('--kafka-only starts only the broker, and starts it again when it dies', async () => {
  const { env } = await newPlace()
  const launched = launch(['--kafka-only'], env)
  const [, broker = ''] = await launched.printed(/^ {2}kafka +(\S+) \(/m, 180_000)
  await launched.printed(/^ready /m)
  const pids = await launched.descendants()
  assert.ok(await kafkaAnswers(broker))
  for (const pid of pids) process.kill(pid, 'SIGKILL') // the broker, and the watchdog too
  await launched.printed(/^kafka ended \(SIGKILL\) and is started again/m)
  await until('Kafka answers again', () => kafkaAnswers(broker), 60_000)
  const again = await launched.descendants()
  assert.equal(await launched.end('SIGTERM'), 0)
  await until('all processes are gone', () => allGone([...pids, ...again]))
})
