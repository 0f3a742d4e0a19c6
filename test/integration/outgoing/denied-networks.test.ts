import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, afterEach, before, describe, test } from 'node:test'
import { systemClock } from '@tributary/async'
import { ConnectError, createTaskStats, DeniedNetworks, denyNetworks, MemoryBudget, parseConfig, type Props, type SourcePlugin } from '@tributary/connect-api' // prettier-ignore
import { grpcSource } from '@tributary/grpc-ingest'
import { sqsSource } from '@tributary/sqs-ingest'
import { sseSource } from '@tributary/sse-ingest'
import { rememberingLog } from '@tributary/telemetry/testing'
import { websocketSource } from '@tributary/ws-ingest'
import { openAws } from '../../../apps/sqs-ingest/src/aws/clients.ts'
import { awsSettings } from '../../../apps/sqs-ingest/src/aws/settings.ts'
import { ObjectReader } from '../../../apps/sqs-ingest/src/convert/object-reader.ts'
import { readSettings } from '../../../apps/sqs-ingest/src/settings/read.ts'
import { websocketSpec } from '../../../apps/ws-ingest/src/config/config.ts'
import { Backfill, ResponseError } from '../../../apps/ws-ingest/src/sequence/backfill.ts'
import { tickerProps } from '../../support/grpc-task.ts'
import { startConnectProxy } from '../../support/connect-proxy.ts'

/** The address of a service that no connector should ask: all of 127.0.0.0/8 leads here, and only this address is denied. */
const INNER = '127.0.0.2'
/** A task that is not refused would wait for its source. */
const signal = AbortSignal.timeout(60_000)
const AWS = { 'aws.region': 'eu-west-1', 'aws.access.key.id': 'k', 'aws.secret.access.key': 's', 'kafka.topic': 't' }

/** A server on all addresses of IPv4 that counts its connections by the address that they were made to. */
class Inner {
  readonly asked: string[] = []
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) =>
    void response.writeHead(403).end()
  readonly #server: Server

  constructor() {
    this.#server = createServer((request, response) => this.answer(request, response))
    this.#server.on('connection', ({ localAddress }) => this.asked.push(localAddress ?? ''))
    this.#server.on('upgrade', (request, socket) => {
      const response = { location: '' }
      this.answer(request, { writeHead: (_: number, { location }: { location: string }) => Object.assign(response, { location }) && { end() {} } } as unknown as ServerResponse) // prettier-ignore
      socket.end(`HTTP/1.1 302 Found\r\nLocation: ${response.location}\r\nContent-Length: 0\r\n\r\n`)
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }

  async start(): Promise<void> {
    this.#server.listen(0, '0.0.0.0')
    await once(this.#server, 'listening')
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

/** The error with which a task of the source connects, or receives. */
async function failureOf(plugin: SourcePlugin, config: Props): Promise<unknown> {
  const task = plugin.createTask()
  const context = { connector: 'c', task: 0, config, written: config, offset: () => null, log: rememberingLog([]), stats: createTaskStats(), memory: new MemoryBudget(Infinity).share(), clock: systemClock, dataDir: '/nonexistent' } // prettier-ignore
  try {
    await task.start(context)
    await task.connect(signal)
    for (;;) await task.poll(signal)
  } catch (error) {
    return error
  } finally {
    await task.stop()
  }
}

function assertDenied(error: unknown, host = INNER): void {
  assert.ok(error instanceof ConnectError, String(error))
  assert.deepEqual([error.code, error.kind], ['ADDRESS_DENIED', 'config'])
  const sentence = `${host} (?:is an address|has the address .*) that connectors may not connect to: connect\\.deny\\.networks of the worker has 127`
  assert.match(error.message, new RegExp(sentence))
}

describe('a network that the worker denies is reached by', () => {
  const inner = new Inner()
  before(() => inner.start())
  after(() => inner.stop())
  afterEach(() => denyNetworks(null))

  const sources: readonly (readonly [what: string, plugin: SourcePlugin, field: string, props: (host: string) => Props])[] = [
    ['WebSocket', websocketSource, 'websocket.url', (host) => ({ 'websocket.url': `ws://${host}:${inner.port}/`, 'kafka.topic': 't' })],
    ['WebSocket over TLS', websocketSource, 'websocket.url', (host) => ({ 'websocket.url': `wss://${host}:${inner.port}/`, 'kafka.topic': 't' })],
    ['Server-Sent Events', sseSource, 'sse.url', (host) => ({ 'sse.url': `http://${host}:${inner.port}/`, 'kafka.topic': 't' })],
    ['Server-Sent Events over TLS', sseSource, 'sse.url', (host) => ({ 'sse.url': `https://${host}:${inner.port}/`, 'kafka.topic': 't' })],
    ['gRPC', grpcSource, 'grpc.server.host', (host) => tickerProps(inner.port, { 'grpc.server.host': host })],
    ['gRPC as the second address', grpcSource, 'grpc.server.host', (host) => tickerProps(inner.port, { 'grpc.server.host': `127.0.0.1:1,dns:///${host}` })],
    ['the token endpoint of gRPC', grpcSource, 'grpc.oauth.token.url', (host) => tickerProps(1, { 'grpc.oauth.token.url': `http://${host}:${inner.port}/`, 'grpc.oauth.client.id': 'me', 'grpc.oauth.client.secret': 's' })],
    ['SQS', sqsSource, 'sqs.queue.url', (host) => ({ ...AWS, 'aws.endpoint.override': `http://${host}:${inner.port}`, 'sqs.queue.url': `http://${host}:${inner.port}/1/q` })],
    ['STS of SQS', sqsSource, 'aws.assume.role.arn', (host) => ({ ...AWS, 'aws.assume.role.arn': 'arn:aws:iam::123456789012:role/r', 'aws.sts.endpoint.override': `http://${host}:${inner.port}`, 'aws.endpoint.override': 'http://127.0.0.1:1', 'sqs.queue.url': 'http://127.0.0.1:1/1/q' })],
  ] // prettier-ignore
  for (const [what, plugin, field, props] of sources) {
    test(`no task and no check of ${what}, however the address is written`, async () => {
      denyNetworks(new DeniedNetworks([INNER]))
      for (const host of [INNER, '0x7f.2', '2130706434']) {
        assertDenied(await failureOf(plugin, props(host)), `(?:${INNER}|${host})`)
        const errors = await plugin.connector.validate!(props(host), signal)
        assert.deepEqual(errors.map((error) => error.field), [field], JSON.stringify(errors)) // prettier-ignore
        assert.match(errors[0]!.message, /connect\.deny\.networks/)
      }
      assert.deepEqual(inner.asked.filter((address) => address === INNER), []) // prettier-ignore
    })
  }

  test('no redirect', async () => {
    denyNetworks(new DeniedNetworks([INNER]))
    inner.answer = (_, response) => void response.writeHead(302, { location: `http://${INNER}:${inner.port}/` }).end()
    assertDenied(await failureOf(sseSource, { 'sse.url': `http://127.0.0.1:${inner.port}/`, 'kafka.topic': 't' }))
    assertDenied(
      await failureOf(websocketSource, { 'websocket.url': `ws://127.0.0.1:${inner.port}/`, 'kafka.topic': 't' }),
    )
    assert.deepEqual(inner.asked.splice(0), ['127.0.0.1', '127.0.0.1'])
  })

  test('no backfill', async () => {
    denyNetworks(new DeniedNetworks([INNER]))
    const props = {
      'websocket.url': 'ws://127.0.0.1:1/',
      'kafka.topic': 't',
      'sequence.field': 'n',
      'backfill.url': `http://${INNER}:${inner.port}/`,
    }
    const backfill = new Backfill(parseConfig(websocketSpec, props))
    await assert.rejects(backfill.fetch({ from: 1, to: 2 }, null, { bytes: 1000, signal }), (error) => {
      assert.ok(error instanceof ResponseError)
      assertDenied(error.cause)
      return !error.retriable
    })
    const errors = await websocketSource.connector.validate!(props, signal)
    assert.deepEqual(errors.map(({ field }) => field), ['backfill.url']) // prettier-ignore
    assert.deepEqual(inner.asked, [])
  })

  test('no object of S3', async () => {
    denyNetworks(new DeniedNetworks([INNER]))
    const settings = { ...AWS, 'sqs.queue.url': 'q', 'aws.s3.endpoint.override': `http://${INNER}:${inner.port}` }
    const aws = await openAws(awsSettings(readSettings(settings)), { attributeNames: [], clock: systemClock })
    const reader = new ObjectReader(() => aws.s3(), 1000)
    await reader.read({ bucket: 'b', key: 'k' }, signal).then(() => assert.fail(), assertDenied)
    aws.sqs.close()
    assert.deepEqual(inner.asked, [])
  })

  test('no proxy that a connector names, and through one no server behind it', async (t) => {
    denyNetworks(new DeniedNetworks([INNER]))
    const proxy = await startConnectProxy(t)
    const url = { 'websocket.url': `ws://127.0.0.1:${inner.port}/`, 'kafka.topic': 't' }
    assertDenied(await failureOf(websocketSource, { ...url, 'websocket.proxy.url': `http://${INNER}:${inner.port}` }))
    assertDenied(await failureOf(grpcSource, tickerProps(inner.port, { 'grpc.server.host': '127.0.0.1', 'grpc.proxy.url': `http://${INNER}:${inner.port}` }))) // prettier-ignore
    const through = {
      'websocket.url': `ws://${INNER}:${inner.port}/`,
      'kafka.topic': 't',
      'websocket.proxy.url': `http://127.0.0.1:${proxy.port}`,
    }
    assertDenied(await failureOf(websocketSource, through))
    assert.deepEqual([inner.asked, proxy.asked], [[], []])
  })

  test('a proxy of the environment, which the operator has named', async (t) => {
    denyNetworks(new DeniedNetworks(['127.0.0.1']))
    const proxy = await startConnectProxy(t, () => '502 Bad Gateway')
    process.env['grpc_proxy'] = `http://127.0.0.1:${proxy.port}`
    t.after(() => delete process.env['grpc_proxy'])
    const error = await failureOf(grpcSource, tickerProps(443, { 'grpc.server.host': 'feed.invalid' }))
    assert.match(String(error), /The proxy answered the handshake with 502/)
    assert.deepEqual(proxy.asked.map(({ authority }) => authority), ['feed.invalid:443']) // prettier-ignore
  })

  test('no Unix socket of gRPC, where this machine is denied', async () => {
    denyNetworks(new DeniedNetworks(['loopback']))
    const error = await failureOf(grpcSource, tickerProps(1, { 'grpc.server.host': 'unix:///run/docker.sock' }))
    assert.match(String(error), /\/run\/docker\.sock is a socket of this machine that connectors may not connect to/)
  })
})
