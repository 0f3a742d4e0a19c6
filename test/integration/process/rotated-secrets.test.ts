import { makeCertificates, temporaryFolder } from '@tributary/harness'
import assert from 'node:assert/strict'
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { type WebSocket, WebSocketServer } from 'ws'
import { sharedKafka } from '@tributary/harness'
import { createTopic, readPartition } from '../../support/kafka-topic.ts'
import { type Services, startServices } from '../../support/services.ts'
import { until } from '../../support/until.ts'

/** A feed of the `ws` package that accepts one token, and ends the connections of the one before. */
class TokenFeed {
  readonly #server: WebSocketServer
  #token: string
  #socket: WebSocket | null = null
  /** The tokens that clients sent, one for each handshake. */
  readonly seen: string[] = []

  constructor(token: string) {
    this.#token = token
    const verifyClient = ({ req }: { req: IncomingMessage }): boolean => {
      this.seen.push(req.headers.authorization ?? '')
      return req.headers.authorization === `Bearer ${this.#token}`
    }
    this.#server = new WebSocketServer({ port: 0, host: '127.0.0.1', verifyClient })
    this.#server.on('connection', (socket) => {
      this.#socket = socket
    })
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port
  }
  get connected(): boolean {
    return this.#socket?.readyState === 1
  }

  send(text: string): void {
    this.#socket?.send(text)
  }

  /** The token before expires. */
  accept(token: string): void {
    this.#token = token
    this.#socket?.close(1008, 'token expired')
    this.#socket = null
  }

  close(): void {
    for (const client of this.#server.clients) client.terminate()
    this.#server.close()
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

describe('a secret in a file that is rotated', () => {
  const folder = temporaryFolder('rotated')
  const rotate = (token: string): Promise<void> => writeFile(join(folder, 'token.properties'), `token=${token}\n`)
  const feed = new TokenFeed('one')
  let services: Services
  let brokers: readonly string[]
  let topic: string
  before(async () => {
    await rotate('one')
    brokers = (await sharedKafka()).brokers
    topic = await createTopic(brokers)
    services = await startServices('ws-ingest', {
      TRIBUTARY_CONFIG_PROVIDERS: 'file',
      TRIBUTARY_CONFIG_PROVIDERS_FILE_PARAM_ALLOWED_PATHS: folder,
    })
    await services.create('feed', {
      'connector.class': 'io.tributary.connect.websocket.WebSocketSourceConnector',
      'websocket.url': `ws://127.0.0.1:${feed.port}`,
      'websocket.header.Authorization': 'Bearer ${file:token.properties:token}',
      'websocket.reconnect.interval.ms': '100',
      'kafka.topic': topic,
    })
  })
  after(async () => {
    await services.stop()
    feed.close()
  })

  const values = async (): Promise<string[]> => (await readPartition(brokers, topic)).map(({ value }) => String(value))
  const state = async (): Promise<string | undefined> => (await services.status('feed')).tasks[0]?.state

  test('the next connection carries the new token, and nothing is lost or repeated', async () => {
    await until('the feed is connected', () => feed.connected)
    feed.send('a')
    await until('a arrives', async () => (await values()).length === 1)
    await rotate('two')
    feed.accept('two')
    await until('the feed is connected again', () => feed.connected)
    feed.send('b')
    await until('b arrives', async () => (await values()).length === 2)
    assert.deepEqual(await values(), ['a', 'b'])
    assert.equal(await state(), 'RUNNING')
    assert.deepEqual(feed.seen.at(-1), 'Bearer two')
    assert.match(await services.workerLog(), /event=config_values_changed .*action=new_run/)
  })

  test('a task that the old token has failed starts again once the file has the new one', async () => {
    feed.accept('three')
    await until('the task is FAILED', async () => (await state()) === 'FAILED')
    await rotate('three')
    await until('the feed is connected again', () => feed.connected)
    feed.send('c')
    await until('c arrives', async () => (await values()).length === 3)
    assert.equal(await state(), 'RUNNING')
    assert.match(await services.workerLog(), /event=config_values_changed .*action=restart/)
    assert.ok(!(await services.workerLog()).includes('Bearer t'), 'no token in the log')
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
      'kafka.topic': topic,
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
