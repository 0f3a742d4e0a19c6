import { after } from 'node:test'
import { type Feed, sourceContract, type SourceFixture, withProps } from '@tributary/testkit'
import { kafkaTaskRunner, killContract } from '@tributary/testkit/kafka'
import { sseSource } from '../src/plugin.ts'
import { SseServer } from './sse-server.ts'

const MESSAGE_BYTES = 4000
const PADDING = 'x'.repeat(MESSAGE_BYTES)

/** A numbered feed on an SSE server. All its events have ids. */
async function startFeed(): Promise<Feed> {
  const server = await SseServer.start()
  let sent = 0
  return {
    props: { 'sse.url': server.url, 'sse.require.ids': 'true' },
    send: (count) => server.send(...Array.from({ length: count }, () => JSON.stringify({ n: ++sent, PADDING }))),
    get written() {
      return server.written
    },
    sendLarge(bytes) {
      sent++
      server.send(JSON.stringify({ large: 'y'.repeat(bytes) }))
    },
    get connections() {
      return server.connections
    },
    cut: () => server.cut(),
    stop: () => server.stop(),
  }
}

const fixture: SourceFixture = {
  plugin: sseSource,
  startFeed,
  numberOf: (value) => (JSON.parse(Buffer.from(value).toString()) as { n?: number }).n ?? null,
  numberAt: ({ last_event_id: id }) => Number(id),
  queueBound: (records) => ({ 'sse.message.queue.size': String(records) }),
  // One read of a socket, 64 KiB.
  queueOvershoot: 20,
  resume: {},
  alwaysResumes: true,
  // Loopback buffers of both ends as Linux tunes them, tcp_wmem and tcp_rmem, and what Node holds for the response.
  transportBytes: 10 * 1024 * 1024,
  messageBytes: MESSAGE_BYTES,
}

const kafka = await kafkaTaskRunner()
after(() => kafka.stop())

const exactlyOnce = { 'exactly.once.support': 'required' }
sourceContract('SSE', fixture, kafka.createRunner)
sourceContract('SSE, exactly once', withProps(fixture, exactlyOnce), kafka.createRunner)

const main = new URL('../src/main.ts', import.meta.url)
killContract('SSE', fixture, { main, kafka })
killContract('SSE, exactly once', fixture, { main, kafka, props: exactlyOnce, exactlyOnce: true })
