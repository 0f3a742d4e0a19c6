import type { Feed, SourceFixture } from '@tributary/testkit'
import { websocketSource } from '@tributary/ws-ingest'
import { WsTicker } from '../../../support/ws-ticker.ts'

const MESSAGE_BYTES = 1000
const WINDOW_BYTES = 128 * 1024
const PADDING = 'x'.repeat(MESSAGE_BYTES)

/** A numbered live feed on a WebSocket server. */
async function startFeed(): Promise<Feed> {
  const large = new Map<number, number>()
  let sent = 0
  const ticker = await WsTicker.start({
    windowBytes: WINDOW_BYTES,
    message(n) {
      const bytes = large.get(n)
      return JSON.stringify(bytes === undefined ? { n, padding: PADDING } : { large: 'y'.repeat(bytes) })
    },
  })
  return {
    props: ticker.props(),
    send(count) {
      sent += count
      ticker.send(count)
    },
    get written() {
      return ticker.written
    },
    sendLarge(bytes) {
      large.set(++sent, bytes)
      ticker.send(1)
    },
    get connections() {
      return ticker.connections
    },
    cut: () => ticker.cut(),
    stop() {
      ticker.stop()
      return Promise.resolve()
    },
  }
}

/** The parts of the WebSocket source that the contract suite needs. */
export const websocketFixture: SourceFixture = {
  plugin: websocketSource,
  startFeed,
  numberOf: (value) => (JSON.parse(Buffer.from(value).toString()) as { n?: number }).n ?? null,
  numberAt: ({ sequence }) => Number(sequence),
  queueBound: (records) => ({ 'websocket.message.queue.size': String(records) }),
  // One read of a socket, 64 KiB.
  queueOvershoot: 80,
  // A feed sends only new messages. Earlier messages cannot be read again.
  resume: null,
  deduplicates: { 'sequence.field': 'n' },
  // What the feed sends before it waits for an answer, and once more, because a ping may be answered before the pause.
  transportBytes: 2 * WINDOW_BYTES,
  messageBytes: MESSAGE_BYTES,
}
