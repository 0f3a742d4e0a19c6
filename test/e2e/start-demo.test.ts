import assert from 'node:assert/strict'
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { isFree } from '@tributary/harness'
import { allGone, launch, newPlace, showTopic, type Launched, type Place } from './launcher.ts'
import { until } from '../support/until.ts'

const flowing = (connector: string): RegExp =>
  new RegExp(`${connector}  RUNNING  [1-9][\\d,]* records  [1-9][\\d,]*/s  [\\d.]+ ms  lag \\d+`)

interface Quote {
  readonly sequence: string
  readonly symbol: string
}

describe('npm start on a machine without Kafka', () => {
  let place: Place
  let launched: Launched
  before(async () => {
    place = await newPlace()
    launched = launch([], place.env)
  })
  after(() => launched.process.kill('SIGKILL'))

  const quotes = async (...args: string[]): Promise<Quote[]> =>
    (await showTopic(['demo.quotes', ...args], place.env)).map((line) => JSON.parse(line.split('  ')[3] ?? '') as Quote)

  test('is ready with the address of the REST API, lists the plugins and creates the connector', async () => {
    const [, url = ''] = await launched.printed(/^ready (http:\S+) after [\d.]+ s$/m, 180_000)
    assert.equal(url, `http://127.0.0.1:${place.restPort}`)
    const plugins = (await (await fetch(`${url}/connector-plugins`)).json()) as { class: string }[]
    for (const name of ['grpc.GrpcSourceConnector', 'websocket.WebSocketSourceConnector', 'sqs.SqsSourceConnector']) {
      assert.ok(plugins.some((plugin) => plugin.class === `io.tributary.connect.${name}`))
    }
    await launched.printed(/^Connector demo-quotes created/m)
    await launched.printed(/^Connector demo-live created/m)
    await launched.printed(/^Connector demo-sqs created/m)
  })

  test('shows the rate of records, which are in the topic', async () => {
    await launched.printed(flowing('demo-quotes'))
    await launched.printed(flowing('demo-live'))
    await launched.printed(flowing('demo-sqs'))
    const [first, second] = await quotes('--from-beginning', '--max', '2')
    assert.equal(first?.sequence, '1')
    assert.equal(second?.sequence, '2')
    assert.match(first?.symbol ?? '', /^(BTC|ETH)-USD$/)
  })

  test('Ctrl-C stops the feed first and Kafka last, and leaves no process', async () => {
    const pids = await launched.descendants()
    assert.ok(pids.length >= 8, `Kafka, ElasticMQ, at least five services and the watchdog: ${pids.length} processes`)
    assert.equal(await launched.end('SIGINT'), 0)
    const stopped = Array.from(launched.output().matchAll(/^stopping (\S+)$/gm), ([, name]) => name)
    const sources = stopped.slice(1, -3)
    assert.deepEqual(stopped, ['demo-feed', ...sources, 'control-plane', 'sqs', 'kafka'])
    for (const source of ['grpc-ingest', 'ws-ingest', 'sqs-ingest']) assert.ok(sources.includes(source), source)
    await until('all processes are gone', () => allGone(pids))
    assert.ok(await isFree(place.restPort))
  })

  test('nobody else can read what the run has left: logs, Kafka, the compile cache', () => {
    const paths = readdirSync(place.dataDir, { recursive: true, encoding: 'utf8' })
    const written = ['kafka/server.properties', 'logs/kafka.log', 'logs/control-plane.log', 'secrets']
    for (const name of written) assert.ok(paths.includes(name), name)
    assert.ok(paths.some((path) => /^kafka\/log\/.*-connect-configs-0\/.*\.log$/.test(path)))
    assert.ok(paths.some((path) => path.startsWith('.compile-cache/')))
    const readable = ['', ...paths].filter((path) => (lstatSync(join(place.dataDir, path)).mode & 0o077) !== 0)
    assert.deepEqual(readable, [])
  })

  test('a second start finds the connector, which continues where it stopped', async () => {
    launched = launch([], place.env)
    await launched.printed(/^Connector demo-quotes found/m, 180_000)
    await launched.printed(flowing('demo-quotes'))
    await launched.printed(flowing('demo-live'))
    await launched.printed(flowing('demo-sqs'))
    const sequences = (await quotes('--from-beginning', '--max', '2000')).map(({ sequence }) => Number(sequence))
    assert.deepEqual(
      [...new Set(sequences)].sort((a, b) => a - b),
      Array.from({ length: new Set(sequences).size }, (_, i) => i + 1),
    )
  })

  test('kill -9 of the launcher leaves no process', async () => {
    const pids = await launched.descendants()
    assert.ok(pids.length >= 6)
    await launched.end('SIGKILL')
    await until('all processes are gone', () => allGone(pids))
  })
})
