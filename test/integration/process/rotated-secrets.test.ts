import { temporaryFolder } from '@tributary/harness'
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
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

describe('a token in a file that is rotated', () => {
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
})
