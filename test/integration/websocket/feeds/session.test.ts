import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, test, type TestContext } from 'node:test'
import type { Props } from '@tributary/connect-api'
import { until } from '../../../support/until.ts'
import { type FeedClient, FeedServer } from './feed-server.ts'
import { startTaskOnKafka, texts } from './task-on-kafka.ts'

type Behaviour = Parameters<typeof FeedServer.start>[0]

async function startServer(t: TestContext, behaviour: Behaviour): Promise<FeedServer> {
  const server = await FeedServer.start(behaviour)
  t.after(() => server.stop())
  return server
}

const CHANNELS: Props = Object.fromEntries(
  ['a', 'b', 'c'].flatMap((channel, i) => [
    [`websocket.subscription.${i + 1}.message`, `{"op":"subscribe","channel":"${channel}"}`],
    [`websocket.subscription.${i + 1}.ack.match`, `op == subscribed && channel == ${channel}`],
    [`websocket.subscription.${i + 1}.refuse.match`, 'op == error'],
  ]),
)

interface Request {
  readonly op: string
  readonly channel?: string
}

/** Accepts channels, and sends a message when the last channel is subscribed. */
function accept(client: FeedClient, { op, channel }: Request, refused?: string): void {
  if (op !== 'subscribe') return
  if (channel === refused) client.say({ op: 'error', msg: `you may not read ${channel}` })
  else client.say({ op: 'subscribed', channel })
  if (channel === 'c') client.say(`data for ${client.number}`)
}

describe('the session of a feed', () => {
  test("is FAILED with the server's text when the second of three channels is refused", async (t) => {
    const server = await startServer(t, { onText: (client, request) => accept(client, request as Request, 'b') })
    const task = await startTaskOnKafka(t, { 'websocket.url': server.url, ...CHANNELS })
    await until('the task fails', () => task.state === 'failed')
    assert.equal((task.failure as { code?: string } | null)?.code, 'WEBSOCKET_REFUSED')
    assert.match(String(task.failure), /subscription 2: .*you may not read b/)
    assert.equal(server.clients.length, 1)
    assert.deepEqual(server.clients[0]?.said.length, 2)
  })

  test('leaves out the replies, and delivers the messages that arrive before the last reply', async (t) => {
    const server = await startServer(t, {
      onText: (client, request) => {
        client.say(`early ${(request as Request).channel}`)
        accept(client, request as Request)
      },
    })
    const task = await startTaskOnKafka(t, { 'websocket.url': server.url, ...CHANNELS })
    await until('all is in the topic', async () => (await task.kept()).length >= 4)
    assert.deepEqual(texts(await task.kept()), ['early a', 'early b', 'early c', 'data for 1'])
  })

  test('is repeated on each connection', async (t) => {
    const server = await startServer(t, {
      onText: (client, request) => {
        accept(client, request as Request)
        if ((request as Request).channel === 'c' && client.number < 3) client.socket.close(1001, 'going away')
      },
    })
    const task = await startTaskOnKafka(t, { 'websocket.url': server.url, ...CHANNELS })
    await until('the third connection delivers', async () => texts(await task.kept()).includes('data for 3'))
    assert.deepEqual(texts(await task.kept()), ['data for 1', 'data for 2', 'data for 3'])
    assert.deepEqual(
      server.clients.map(({ said }) => said.length),
      [3, 3, 3],
    )
  })

  test('signs a message, and the server accepts the signature', async (t) => {
    const secret = Buffer.from('the shared secret')
    const server = await startServer(t, {
      onText: (client, message) => {
        const { op, time, sign } = message as { op: string; time: number; sign: string }
        if (op !== 'login') return accept(client, message as Request)
        const wanted = createHmac('sha256', secret).update(`${time}GET/verify`).digest('base64')
        const recent = Math.abs(Date.now() - time) < 60_000
        client.say(sign === wanted && recent ? { event: 'login', code: 0 } : { event: 'login', code: 60009 })
      },
    })
    const props = {
      'websocket.url': server.url,
      'websocket.signature.key': secret.toString('base64'),
      'websocket.signature.key.encoding': 'base64',
      'websocket.signature.template': '{{timestamp.ms}}GET/verify',
      'websocket.signature.encoding': 'base64',
      'websocket.auth.message': '{"op":"login","time":{{timestamp.ms}},"sign":"{{signature}}"}',
      'websocket.auth.ack.match': 'event == login && code == 0',
      'websocket.auth.refuse.match': 'event == login && code != 0',
      ...CHANNELS,
    }
    const task = await startTaskOnKafka(t, props)
    await until('data came', async () => texts(await task.kept()).includes('data for 1'))

    const wrong = await startTaskOnKafka(t, {
      ...props,
      'websocket.signature.key': Buffer.from('another').toString('base64'),
    })
    await until('the task fails', () => wrong.state === 'failed')
    assert.match(String(wrong.failure), /refuses the authentication: .*60009/)
    assert.equal(server.clients[1]?.said.length, 1)
    const shown = JSON.stringify(task.log)
    assert.doesNotMatch(shown, new RegExp(secret.toString('base64')))
    assert.doesNotMatch(shown, /"login\\?"/)
  })

  test('may fill the queue before its last reply, and continues when there is room', async (t) => {
    const count = 5000
    const server = await startServer(t, {
      onText: (client, request) => {
        if ((request as Request).channel !== 'b') return accept(client, request as Request)
        for (let i = 0; i < count; i++) client.say(`early ${i}`)
        accept(client, request as Request)
      },
    })
    const task = await startTaskOnKafka(t, {
      'websocket.url': server.url,
      'websocket.message.queue.size': '100',
      'websocket.session.timeout.ms': '20000',
      ...CHANNELS,
    })
    await until('all is in the topic', async () => (await task.kept()).length > count)
    const wanted = [...Array.from({ length: count }, (_, i) => `early ${i}`), 'data for 1']
    assert.deepEqual(texts(await task.kept()), wanted)
    assert.equal(server.clients.length, 1)
  })

  test("answers the server's heartbeats and sends its own", async (t) => {
    const server = await startServer(t, {
      onClient: (client) => client.say({ ping: 1_795_262_400_250 }),
      onText: (client, message) => {
        if (message === 'ping') client.say('pong')
        else client.say(message)
      },
    })
    const task = await startTaskOnKafka(t, {
      'websocket.url': server.url,
      'websocket.heartbeat.request.match': 'ping',
      'websocket.heartbeat.response': '{"pong":{{received.ping}}}',
      'websocket.heartbeat.message': 'ping',
      'websocket.heartbeat.interval.ms': '100',
      'websocket.heartbeat.reply.match': '/^pong$/',
      'websocket.heartbeat.timeout.ms': '30000',
    })
    await until('heartbeats are sent', () => (server.clients[0]?.said.length ?? 0) > 3)
    assert.deepEqual(server.clients[0]?.said.slice(0, 3), ['{"pong":1795262400250}', 'ping', 'ping'])
    assert.deepEqual(texts(await task.kept()), ['{"pong":1795262400250}'])
    assert.equal(server.clients.length, 1)
  })
})
