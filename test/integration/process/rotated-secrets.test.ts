import { makeCertificates, temporaryFolder } from '@tributary/harness'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { WebSocketServer } from 'ws'
import { sharedKafka } from '@tributary/harness'
import { builtGoProgram, startForeignServer } from '../../support/foreign-server.ts'
import { tickerProps } from '../../support/grpc-task.ts'
import { createTopic, readPartition } from '../../support/kafka-topic.ts'
import { type Services, startServices } from '../../support/services.ts'
import { until } from '../../support/until.ts'

/** The file of a connector's token in this text is `NAME.properties`. */
const REFERENCE = 'Bearer ${file:NAME.properties:token}'

/** A server that accepts one token at a time. */
interface Feed {
  readonly config: Readonly<Record<string, string>>
  /** Its first number in each connection; null: it goes on with the next one. */
  readonly startsWith: number | null
  /** The number in a record. */
  numberOf(value: string): number
  /** Accepts this token alone. The connections of the one before end. */
  accept(token: string): Promise<void>
  /** The last token that a client sent. */
  lastSeen(): Promise<string | undefined>
}

/** A feed of the `ws` package. It numbers its messages over all connections. */
async function webSocketFeed(t: TestContext): Promise<Feed> {
  let token = ''
  let sent = 0
  let seen: string | undefined
  const verifyClient = ({ req }: { req: IncomingMessage }): boolean => {
    const [, inUrl] = /token=(.*)/.exec(req.url ?? '') ?? []
    seen = inUrl ?? req.headers.authorization?.replace('Bearer ', '')
    return seen === token
  }
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', verifyClient })
  await once(server, 'listening')
  const timer = setInterval(() => {
    const client = [...server.clients].find(({ readyState }) => readyState === 1)
    client?.send(String(++sent))
  }, 20)
  t.after(() => {
    clearInterval(timer)
    for (const client of server.clients) client.terminate()
    server.close()
  })
  return {
    config: {
      'connector.class': 'io.tributary.connect.websocket.WebSocketSourceConnector',
      'websocket.url': `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
      'websocket.header.Authorization': REFERENCE,
      'websocket.reconnect.interval.ms': '100',
    },
    startsWith: null,
    numberOf: Number,
    accept: (next) => {
      token = next
      for (const client of server.clients) client.close(1008, 'token expired')
      return Promise.resolve()
    },
    lastSeen: () => Promise.resolve(seen),
  }
}

/** A server of grpc-go, whose streams count from 1. */
async function grpcFeed(t: TestContext): Promise<Feed> {
  const file = join(temporaryFolder('accepted'), 'token')
  await writeFile(file, '')
  const args = ['-interval', '20ms', '-token-file', file]
  const server = await startForeignServer({ command: await builtGoProgram('grpc-go'), args })
  t.after(() => server.stop())
  return {
    config: {
      ...tickerProps(server.port),
      'connector.class': 'io.tributary.connect.grpc.GrpcSourceConnector',
      'grpc.metadata.authorization': REFERENCE,
      'grpc.reconnect.interval.ms': '100',
    },
    startsWith: 1,
    numberOf: (value) => Number((JSON.parse(value) as { sequence: string }).sequence),
    accept: (token) => writeFile(file, token),
    lastSeen: async () => [...(await server.output()).matchAll(/authorization \[Bearer (.*)\]/g)].at(-1)?.[1],
  }
}

/** A feed that asks for client certificates. `seen`: the fingerprints of those of its connections, in turn. */
async function certificateFeed(t: TestContext, folders: readonly [string, string]) {
  const [one, two] = [await makeCertificates(folders[0]), await makeCertificates(folders[1])]
  const read = (path: string): Promise<Buffer> => readFile(path)
  const server = createServer({
    cert: await read(one.serverCert),
    key: await read(one.serverKey),
    ca: [await read(one.ca), await read(two.ca)],
    requestCert: true,
  })
  const seen: string[] = []
  const feed = new WebSocketServer({ server })
  feed.on('connection', (_socket, request) => {
    seen.push((request.socket as TLSSocket).getPeerCertificate().fingerprint256)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    for (const client of feed.clients) client.terminate()
    server.close()
  })
  return { one, two, seen, port: (server.address() as AddressInfo).port }
}

describe('a secret in a file that is rotated', { concurrency: true }, () => {
  const folder = temporaryFolder('rotated')
  let services: Services
  let brokers: readonly string[]
  before(async () => {
    brokers = (await sharedKafka()).brokers
    services = await startServices(['ws-ingest', 'grpc-ingest'], {
      TRIBUTARY_CONFIG_PROVIDERS: 'file',
      TRIBUTARY_CONFIG_PROVIDERS_FILE_PARAM_ALLOWED_PATHS: folder,
    })
  })
  after(() => services.stop())

  /** Creates a connector that reads the feed with the token of a file of its own. Resolves when records arrive. */
  async function reading(feed: Feed, name: string) {
    const rotate = (token: string): Promise<void> => writeFile(join(folder, `${name}.properties`), `token=${token}\n`)
    const topic = await createTopic(brokers)
    const numbers = async (): Promise<number[]> =>
      (await readPartition(brokers, topic)).map(({ value }) => feed.numberOf(String(value)))
    const goesOn = async (): Promise<void> => {
      const { length } = await numbers()
      await until(`records of ${name} arrive`, async () => (await numbers()).length > length)
    }
    const state = async (): Promise<string | undefined> => (await services.status(name)).tasks[0]?.state
    await feed.accept('one')
    await rotate('one')
    const config = JSON.parse(JSON.stringify(feed.config).replace('NAME', name)) as Record<string, string>
    await services.create(name, { ...config, 'kafka.topic': topic })
    await goesOn()
    return { rotate, numbers, goesOn, state }
  }

  /** Checks that the log says what the change of the file has led to, and no token. */
  async function assertLogged(name: string, action: string): Promise<void> {
    const lines = (await services.workerLog()).split('\n').filter((line) => line.includes(`connector_name=${name} `))
    assert.ok(lines.some((line) => /event=config_values_changed .*action=/.test(line) && line.includes(action)))
    assert.ok(!lines.some((line) => line.includes('Bearer ')), 'no token in the log')
  }

  for (const [what, start] of [
    ['WebSocket', webSocketFeed],
    ['gRPC', grpcFeed],
  ] as const) {
    test(`the next connection carries the new token, and nothing is lost or repeated: ${what}`, async (t) => {
      const feed = await start(t)
      const name = `rotated-${what}`
      const { rotate, numbers, goesOn, state } = await reading(feed, name)
      await rotate('two')
      await feed.accept('two')
      await until('the feed has seen the new token', async () => (await feed.lastSeen()) === 'two')
      await goesOn()
      assert.equal(await state(), 'RUNNING')
      await assertLogged(name, 'action=new_run')
      const all = await numbers()
      const restarts = all.filter((number, i) => number !== (all[i - 1] ?? 0) + 1)
      assert.deepEqual(restarts, feed.startsWith === null ? [] : [feed.startsWith])
    })

    test(`a task that the old token has failed starts again once the file has the new one: ${what}`, async (t) => {
      const feed = await start(t)
      const name = `failed-${what}`
      const { rotate, goesOn, state } = await reading(feed, name)
      await feed.accept('three')
      await until('the task is FAILED', async () => (await state()) === 'FAILED')
      await rotate('three')
      await goesOn()
      assert.equal(await feed.lastSeen(), 'three')
      assert.equal(await state(), 'RUNNING')
      await assertLogged(name, 'action=restart')
    })
  }

  test('a token in the URL is in no offset, and the position survives its rotation', async (t) => {
    const feed = await webSocketFeed(t)
    const { 'websocket.header.Authorization': _, ...config } = feed.config
    const url = `${config['websocket.url']}/?token=\${file:NAME.properties:token}`
    const name = 'rotated-url'
    const { rotate, numbers, goesOn } = await reading({ ...feed, config: { ...config, 'websocket.url': url } }, name)
    await rotate('two')
    await feed.accept('two')
    await until('the feed has seen the new token', async () => (await feed.lastSeen()) === 'two')
    await goesOn()
    await services.rest('PUT', `/connectors/${name}/stop`)
    // A stopped connector has no tasks any more, while its last one still ends.
    const entries = await until('the offset is that of the last record', async () => {
      const { body } = await services.rest('GET', `/connectors/${name}/offsets`)
      const { offsets } = body as { offsets: { partition: unknown; offset: { sequence: number } }[] }
      return offsets[0]?.offset.sequence === (await numbers()).length && offsets
    })
    assert.deepEqual(entries.map(({ partition }) => partition), [{ websocket_url: url.replace('NAME', name) }]) // prettier-ignore
  })

  test('certificate files that were overwritten in place are used once the same configuration is put again', async (t) => {
    const folders = [join(folder, 'one'), join(folder, 'two')] as const
    for (const path of folders) await mkdir(path)
    const { one, two, seen, port } = await certificateFeed(t, folders)
    const [cert, key] = [join(folder, 'client.pem'), join(folder, 'client.key')]
    const install = async (from: typeof one): Promise<void> => {
      await copyFile(from.clientCert, cert)
      await copyFile(from.clientKey, key)
    }
    await install(one)
    const config = {
      'connector.class': 'io.tributary.connect.websocket.WebSocketSourceConnector',
      'websocket.url': `wss://127.0.0.1:${port}`,
      'websocket.tls.ca.cert': one.ca,
      'websocket.tls.client.cert': cert,
      'websocket.tls.client.key': key,
      'kafka.topic': await createTopic(brokers),
    }
    await services.create('tls', config)
    await until('the feed is connected', () => seen.length === 1)
    const put = async (): Promise<void> => {
      const answer = await services.rest('PUT', '/connectors/tls/config', config)
      assert.equal(answer.status, 200, JSON.stringify(answer.body))
    }
    await put()
    await sleep(1000)
    assert.equal(seen.length, 1, 'without a change the connection stays')
    await install(two)
    await put()
    await until('the feed is connected anew', () => seen.length === 2)
    assert.notEqual(seen[1], seen[0])
  })
})
