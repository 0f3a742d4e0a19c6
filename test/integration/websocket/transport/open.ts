import { systemClock } from '@tributary/async'
import {
  type ConnectError,
  createTaskStats,
  itemOf,
  MemoryBudget,
  parseConfig,
  type Props,
  type TaskContext,
} from '@tributary/connect-api'
import { websocketSpec } from '../../../../apps/ws-ingest/src/config/config.ts'
import { Denials } from '../../../../apps/ws-ingest/src/connection/denials.ts'
import { createDialer } from '../../../../apps/ws-ingest/src/connection/dialer.ts'
import type { ConnectionEnd, WebSocketConnection } from '../../../../apps/ws-ingest/src/transport/connection.ts'
import { type OpenOptions, openWebSocket } from '../../../../apps/ws-ingest/src/transport/open-websocket.ts'
import type { ReceivedMessages } from '../../../../apps/ws-ingest/src/message/received-messages.ts'
import { createFeedReader } from '../../../../apps/ws-ingest/src/feed-reader.ts'
import { type LogLine, rememberingLog } from '@tributary/telemetry/testing'
import { until } from '../../../support/until.ts'

const DEFAULTS: Omit<OpenOptions, 'url'> = {
  headers: {},
  subprotocols: [],
  tls: {},
  proxyUrl: null,
  compression: true,
  followRedirects: true,
  utf8Validation: true,
  maxMessageBytes: 16 * 1024 * 1024,
  timeoutMs: 20_000,
}

/** An open connection and everything that it received. */
export class OpenFeed {
  connection!: WebSocketConnection
  /** Called for each message, after it was added. */
  onMessage: () => void = () => {}
  readonly messages: Buffer[] = []
  /** For each message: whether it is binary. */
  readonly binary: boolean[] = []
  readonly pings: string[] = []
  readonly pongs: string[] = []
  readonly ends: ConnectionEnd[] = []
  readonly #ended = Promise.withResolvers<ConnectionEnd>()

  get texts(): string[] {
    return this.messages.map(String)
  }

  /** The end of the connection, as soon as it is known. */
  ended(): Promise<ConnectionEnd> {
    return this.#ended.promise
  }

  end(end: ConnectionEnd): void {
    this.ends.push(end)
    this.#ended.resolve(end)
  }

  async received(count: number): Promise<void> {
    await until(`${count} messages, of which ${this.messages.length} came`, () => this.messages.length >= count)
  }
}

/** Opens a connection over the real transport. Received messages go to `feed`. */
export async function openFeed(
  url: string,
  options: Partial<OpenOptions> = {},
  signal: AbortSignal = new AbortController().signal,
  feed = new OpenFeed(),
): Promise<OpenFeed> {
  feed.connection = await openWebSocket(
    { ...DEFAULTS, ...options, url },
    {
      onMessages: (received) => {
        for (let i = 0; i < received.count; i++) {
          feed.messages.push(itemOf(received, i)!)
          feed.binary.push(received.binary)
          feed.onMessage()
        }
      },
      onPing: (data) => feed.pings.push(data.toString()),
      onPong: (data) => feed.pongs.push(data.toString()),
      onEnd: (end) => feed.end(end),
    },
    signal,
  )
  return feed
}

/** Makes connections from a source's settings, as its task does. */
export interface TestDialer {
  readonly log: readonly LogLine[]
  open(): Promise<OpenFeed>
}

export function feedProps(url: string, more: Props = {}): Props {
  return { 'websocket.url': url, 'kafka.topic': 'ticks', ...more }
}

export async function dialerOf(props: Props): Promise<TestDialer> {
  const log: LogLine[] = []
  const config = parseConfig(websocketSpec, props)
  const dialer = await createDialer(config, props, openWebSocket, new Denials(config), rememberingLog(log))
  return {
    log,
    open: async () => {
      const feed = new OpenFeed()
      const listener = {
        onMessages: (received: ReceivedMessages) => {
          for (let i = 0; i < received.count; i++) feed.messages.push(itemOf(received, i)!)
        },
        onEnd: feed.end.bind(feed),
      }
      feed.connection = await dialer.open(() => '', listener, new AbortController().signal)
      return feed
    },
  }
}

/** The codes of the errors that end `count` connections of one task in turn. */
export async function endsOf(props: Props, count: number): Promise<string[]> {
  const signal = new AbortController().signal
  const stats = createTaskStats()
  const memory = new MemoryBudget(Infinity).share()
  const context = { connector: 'c', task: 0, config: props, offset: () => null, log: rememberingLog([]), stats, memory, clock: systemClock, dataDir: '/none' } as unknown as TaskContext // prettier-ignore
  const reader = await createFeedReader(context)
  const codes: string[] = []
  try {
    while (codes.length < count) {
      try {
        await reader.connect(signal)
        for (;;) await reader.read(10_000, signal)
      } catch (error) {
        codes.push((error as ConnectError).code)
      }
    }
  } finally {
    await reader.close()
  }
  return codes
}
