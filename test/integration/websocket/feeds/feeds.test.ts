import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { type Props, traceOf } from '@tributary/connect-api'
import { until } from '../../../support/until.ts'
import { type FeedClient, FeedServer } from './feed-server.ts'
import { frame, OPCODE } from '../transport/raw-frames.ts'
import { type RawPeer, startRawServer } from '../transport/raw-server.ts'
import { startTaskOnKafka, texts, type TaskOnKafka } from './task-on-kafka.ts'

const LONG = process.env['TRIBUTARY_TEST_LONG'] === '1'
const MIB = 1024 * 1024

async function startServer(t: TestContext, behaviour: Parameters<typeof FeedServer.start>[0]): Promise<FeedServer> {
  const server = await FeedServer.start(behaviour)
  t.after(() => server.stop())
  return server
}

/** Starts a server that sends the frames which the test names, and a task that reads from it. Returns the task. */
async function startRaw(t: TestContext, serve: (peer: RawPeer) => void, props: Props = {}): Promise<TaskOnKafka> {
  const server = await startRawServer((peer) => {
    peer.accept()
    serve(peer)
  })
  t.after(() => server.stop())
  return startTaskOnKafka(t, { 'websocket.url': `ws://127.0.0.1:${server.port}`, ...props })
}

const came = (task: TaskOnKafka, text: string): Promise<unknown> =>
  until(`'${text}' is in the topic`, async () => texts(await task.kept()).includes(text))

describe('a feed that becomes silent', () => {
  const session = { 'websocket.subscription.1.message': 'go', 'websocket.subscription.1.ack.match': '/^ok$/' }
  /** Sends one message, and nothing after it on the first connection. */
  const sayOnce = (client: FeedClient): void => {
    client.say('ok')
    client.say(`only ${client.number}`)
  }

  test('and answers no ping leads to a reconnect, with a new session', async (t) => {
    const server = await startServer(t, { onText: sayOnce, autoPong: false })
    const task = await startTaskOnKafka(t, {
      'websocket.url': server.url,
      'websocket.ping.interval.ms': '200',
      'websocket.pong.timeout.ms': '300',
      ...session,
    })
    await came(task, 'only 2')
    assert.deepEqual([server.clients[0]?.said, server.clients[1]?.said], [['go'], ['go']])
    const failure = task.log.find(({ event }) => event === 'websocket_failure')
    assert.match(String(failure?.fields['error_message']), /no pong within 300 ms/)
  })

  test('although it answers pings leads to a reconnect with websocket.idle.timeout.ms', async (t) => {
    const server = await startServer(t, { onText: sayOnce })
    const task = await startTaskOnKafka(t, {
      'websocket.url': server.url,
      'websocket.idle.timeout.ms': '500',
      ...session,
    })
    await came(task, 'only 2')
    const failure = task.log.find(({ event }) => event === 'websocket_failure')
    assert.match(String(failure?.fields['error_message']), /no message for 500 ms/)
  })

  test('and answers pings keeps its connection without websocket.idle.timeout.ms', async (t) => {
    let pings = 0
    const server = await startServer(t, {
      onClient: ({ socket }) => socket.on('ping', () => pings++),
      onText: sayOnce,
    })
    const props = {
      'websocket.url': server.url,
      'websocket.ping.interval.ms': '50',
      'websocket.pong.timeout.ms': '5000',
    }
    const task = await startTaskOnKafka(t, { ...props, ...session })
    await until('twenty pings came', () => pings >= 20)
    assert.deepEqual([server.clients.length, task.state], [1, 'running'])
  })

  test('because the task makes it wait does not count as silent', async (t) => {
    const count = 400
    let pings = 0
    const server = await startServer(t, { onClient: ({ socket }) => socket.on('ping', () => pings++) })
    const task = await startTaskOnKafka(t, {
      'websocket.url': server.url,
      'websocket.message.queue.size': '2',
      'websocket.idle.timeout.ms': '500',
      'websocket.ping.interval.ms': '100',
      'websocket.pong.timeout.ms': '300',
    })
    await until('the feed is read', () => task.state === 'running' && server.clients.length > 0)
    task.pause()
    for (let i = 0; i < count; i++) server.clients[0]?.say(String(i).padEnd(64 * 1024, '.'))
    await until('the connection is paused', () => task.log.some(({ event }) => event === 'queue_full'))
    const before = pings
    await until('we have been heard of for longer than any deadline', () => pings > before + 15)
    task.resume()
    // Reading the topic may take longer than the idle timeout, so the feed must not fall silent meanwhile.
    const talking = setInterval(() => server.clients[0]?.say('still here'), 100)
    t.after(() => clearInterval(talking))
    await until('all came', async () => (await task.kept()).length >= count)
    assert.equal(server.clients.length, 1)
  })
})

test('every gap of a feed that cuts its connection every 2 s is reported', async (t) => {
  const cuts = LONG ? 30 : 3
  const ways = [
    ({ socket }: FeedClient): void => socket.close(1012, 'restart'),
    ({ tcp }: FeedClient): void => void tcp.resetAndDestroy(),
    ({ tcp }: FeedClient): void => void tcp.end(),
  ]
  const cutAt: number[] = []
  let number = 0
  const feed = setInterval(() => {
    const client = server.clients.at(-1)
    for (let i = 0; i < 20; i++) {
      number++
      if (client?.socket.readyState === client?.socket.OPEN) client?.say({ seq: number })
    }
  }, 10)
  const cutter = setInterval(() => {
    const client = server.clients.at(-1)
    if (client === undefined || cutAt.length === cuts) return
    ways[cutAt.length % ways.length]!(client)
    cutAt.push(performance.now())
  }, 2000)
  t.after(() => [feed, cutter].forEach(clearInterval))
  const server = await startServer(t, {})
  const task = await startTaskOnKafka(t, { 'websocket.url': server.url, 'sequence.field': 'seq' })
  await until('all cuts are healed', () => server.clients.length > cuts, 10_000 + cuts * 3000)
  const afterLast = number + 500
  const numbers = async (): Promise<number[]> =>
    (await task.kept()).map(({ value }) => (JSON.parse(String(value)) as { seq: number }).seq)
  await until('the last connection delivers', async () => ((await numbers()).at(-1) ?? 0) > afterLast)
  await task.stop()

  const delivered = await numbers()
  const missing = (await task.gaps()).flatMap(({ value }) => {
    const { state, from, to } = JSON.parse(String(value)) as { state: string; from: number; to: number }
    return state === 'opened' ? Array.from({ length: to - from + 1 }, (_, i) => from + i) : []
  })
  const first = Math.min(...delivered)
  const all = Array.from({ length: delivered.at(-1)! - first + 1 }, (_, i) => first + i)
  assert.deepEqual(
    [...delivered, ...missing].sort((a, b) => a - b),
    all,
  )
  assert.deepEqual(
    delivered,
    [...delivered].sort((a, b) => a - b),
  )
  assert.equal(task.stats.sequenceGapMessages, missing.length)
  const waits = cutAt.map((at, i) => Math.round(server.clients[i + 1]!.openedAt - at))
  t.diagnostic(
    `connected again after ${waits.join(', ')} ms; ${missing.length} of ${all.length} messages fell in between`,
  )
})

describe('a feed that sends frames of 64 MiB', () => {
  const large = Buffer.alloc(64 * MIB, 'x')
  const sendLarge = ({ socket, say }: FeedClient): void => {
    say('before')
    socket.send(large, { binary: false })
    say('after')
  }

  test('fails the task, and the error names the setting', async (t) => {
    const server = await startServer(t, { onClient: sendLarge })
    const task = await startTaskOnKafka(t, { 'websocket.url': server.url })
    await until('the task fails', () => task.state === 'failed')
    assert.equal((task.failure as { code?: string } | null)?.code, 'WEBSOCKET_MESSAGE_TOO_LARGE')
    assert.match(String(task.failure), /websocket\.max\.message\.bytes/)
    assert.deepEqual(texts(await task.kept()), ['before'])
    assert.equal(server.clients.length, 1)
  })

  test('gives one bad record when bad records are tolerated', async (t) => {
    const server = await startServer(t, { onClient: sendLarge })
    const task = await startTaskOnKafka(t, {
      'websocket.url': server.url,
      'websocket.max.message.bytes': String(65 * MIB),
      'websocket.compression.enabled': 'false',
      'errors.tolerance': 'all',
    })
    await came(task, 'after')
    assert.deepEqual(texts(await task.kept()), ['before', 'after'])
    const letters = await until('the dead letter is there', async () => {
      const found = await task.deadLetters()
      return found.length > 0 && found
    })
    assert.equal(letters.length, 1)
    assert.equal(letters[0]?.value?.subarray(0, 1000).toString(), 'x'.repeat(1000))
    assert.equal(task.state, 'running')
  })
})

describe('a feed that sends text that is not UTF-8', () => {
  const bad = Buffer.from([0x61, 0xc3, 0x28])

  test('is closed with 1007, and the task reconnects', async (t) => {
    const peers: RawPeer[] = []
    const task = await startRaw(t, (peer) => {
      peers.push(peer)
      peer.send(frame(OPCODE.text, `first ${peers.length}`))
      if (peers.length === 1) peer.send(frame(OPCODE.text, bad))
      else peer.send(frame(OPCODE.text, 'all is well'))
    })
    await came(task, 'all is well')
    assert.deepEqual(texts(await task.kept()), ['first 1', 'first 2', 'all is well'])
    assert.equal(await peers[0]?.closeCode(), 1007)
  })

  test('gives a bad record with websocket.utf8.validation=false', async (t) => {
    const props = { 'websocket.utf8.validation': 'false', 'errors.tolerance': 'all' }
    const task = await startRaw(
      t,
      (peer) => peer.send(frame(OPCODE.text, bad), frame(OPCODE.text, 'all is well')),
      props,
    )
    await came(task, 'all is well')
    const [letter] = await until('the dead letter is there', async () => {
      const found = await task.deadLetters()
      return found.length > 0 && found
    })
    assert.deepEqual(letter?.value, bad)
    assert.deepEqual(texts(await task.kept()), ['all is well'])
  })

  test('fails the task where no bad record is tolerated', async (t) => {
    const task = await startRaw(t, (peer) => peer.send(frame(OPCODE.text, 'good'), frame(OPCODE.text, bad)), {
      'websocket.utf8.validation': 'false',
    })
    await until('the task fails', () => task.state === 'failed')
    assert.match(traceOf(task.failure), /no text in UTF-8/)
    assert.deepEqual(texts(await task.kept()), ['good'])
  })
})

describe('a half-closed connection', () => {
  test('whose server has closed its half is replaced, and all earlier messages are delivered', async (t) => {
    const peers: RawPeer[] = []
    const task = await startRaw(t, (peer) => {
      peers.push(peer)
      peer.send(frame(OPCODE.text, `from ${peers.length}`))
      if (peers.length === 1) peer.socket.end()
    })
    await came(task, 'from 2')
    assert.deepEqual(texts(await task.kept()), ['from 1', 'from 2'])
    await until('the first connection is given up on our side too', () => peers[0]?.ended)
  })

  test('whose server sends a close frame and leaves TCP open is replaced at once', async (t) => {
    const peers: RawPeer[] = []
    const task = await startRaw(t, (peer) => {
      peers.push(peer)
      peer.send(frame(OPCODE.text, `from ${peers.length}`))
      if (peers.length === 1) peer.send(frame(OPCODE.close, Buffer.from([0x03, 0xe9])))
    })
    await came(task, 'from 2')
    assert.equal(await peers[0]?.closeCode(), 1001)
    assert.deepEqual(texts(await task.kept()), ['from 1', 'from 2'])
  })

  test('whose server reads nothing any more ends with the task nevertheless', async (t) => {
    const peers: RawPeer[] = []
    const task = await startRaw(t, (peer) => {
      peers.push(peer)
      peer.send(frame(OPCODE.text, 'one'))
      peer.socket.pause()
    })
    await came(task, 'one')
    await task.stop()
    assert.equal(task.state, 'stopped')
  })
})
