import type { ConnectError, Props } from '@tributary/connect-api'
import type { LogFields, Logger } from '@tributary/telemetry'
import { parseConfig } from '../config/config.ts'
import { Frame, messageDecoder } from '../message/message.ts'
import type { ConnectionListener, WebSocketConnection } from '../transport/connection.ts'
import { FeedConnection, PolicyCloses } from './feed-connection.ts'
import { planSession } from './feed-protocol.ts'

/** 2026-11-21T12:00:00.250Z */
export const NOW = Date.UTC(2026, 10, 21, 12, 0, 0, 250)
const OFTEN_MS = 50

/** A connection without a network, of which a test is the server. */
export interface TestFeed {
  readonly connection: FeedConnection
  /** What `open` came to; null: it is under way. */
  opened(): Promise<'open' | Error | null>
  /** What we sent. */
  readonly sent: readonly string[]
  /** What came as the feed's. */
  readonly data: readonly string[]
  readonly log: readonly { readonly event: string; readonly fields: LogFields }[]
  readonly ended: ConnectError | null
  readonly terminated: boolean
  serverSays(message: string | Buffer): void
  serverEnds(code: number, reason: string, error: ConnectError): void
  /** Lets time pass. */
  pass(ms: number): void
}

/** Opens a connection with these settings. `tick`: how the test makes timers run, as by node:test's mock timers. */
export function openFeed(props: Props, tick: (ms: number) => void): TestFeed {
  const config = parseConfig({ 'websocket.url': 'ws://feed.test', 'kafka.topic': 't', ...props })
  const plan = planSession(config, props)
  const sent: string[] = []
  const data: string[] = []
  const log: { event: string; fields: LogFields }[] = []
  const decode = messageDecoder(config)
  let now = 0
  let listener: ConnectionListener
  let ended: ConnectError | null = null
  let terminated = false
  const socket: WebSocketConnection = {
    responseCode: 101,
    protocol: '',
    send: (text) => sent.push(text),
    ping: () => sent.push('<ping>'),
    pause: () => {},
    resume: () => {},
    close: (code, reason) => sent.push(`<close ${code} ${reason}>`),
    terminate: () => (terminated = true),
  }
  const clock = { now: () => NOW + now, monotonic: () => now, sleep: () => Promise.reject(new Error('no sleep here')) }
  const connection = new FeedConnection({
    config,
    plan,
    values: { clock, sessionId: 'the-session', signer: plan.signer },
    closes: new PolicyCloses(),
    clock,
    log: rememberingLog(log),
    connect: (heard) => {
      listener = heard
      return Promise.resolve(socket)
    },
    behindReads: (look) => look(),
    frameOf: (bytes, binary) => new Frame(bytes, binary, clock.now(), { number: 1 }, decode),
    onData: (frame) => void data.push(frame.text ?? `<${frame.data.length} bytes>`),
    onEnd: (error) => (ended = error),
  })
  let outcome: 'open' | Error | null = null
  void connection.open(new AbortController().signal).then(
    () => (outcome = 'open'),
    (error: unknown) => (outcome = error as Error),
  )
  return {
    connection,
    opened: () => new Promise((resolve) => setImmediate(() => resolve(outcome))),
    sent,
    data,
    log,
    get ended() {
      return ended
    },
    get terminated() {
      return terminated
    },
    serverSays: (message) => listener.onMessage(Buffer.from(message), typeof message !== 'string'),
    serverEnds: (code, reason, error) => listener.onEnd({ code, reason, error }),
    pass(ms) {
      for (const end = now + ms; now < end;) {
        now += OFTEN_MS
        tick(OFTEN_MS)
      }
    },
  }
}

function rememberingLog(lines: { event: string; fields: LogFields }[]): Logger {
  const write = (event: string, fields: LogFields = {}): void => void lines.push({ event, fields })
  const log: Logger = {
    name: 'test',
    trace: write,
    debug: write,
    info: write,
    warn: write,
    error: write,
    child: () => log,
  }
  return log
}
