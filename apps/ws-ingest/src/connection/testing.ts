import { type ConnectError, parseConfig, type Props } from '@tributary/connect-api'
import { type LogLine, rememberingLog } from '@tributary/telemetry/testing'
import { websocketSpec } from '../config/config.ts'
import { messageDecoder } from '../message/message.ts'
import { MessageRun } from '../message/message-run.ts'
import { oneMessage } from '../message/received-messages.ts'
import type { ConnectionListener, WebSocketConnection } from '../transport/connection.ts'
import { Denials } from './denials.ts'
import { FeedConnection } from './feed-connection.ts'
import { compileProtocol } from './feed-protocol.ts'

/** 2026-11-21T12:00:00.250Z */
export const NOW = Date.UTC(2026, 10, 21, 12, 0, 0, 250)
const OFTEN_MS = 50

/** A feed connection without a network; the test plays the server. */
export interface TestFeed {
  readonly connection: FeedConnection
  /** The result of `open`; null while `open` is pending. */
  opened(): Promise<'open' | Error | null>
  /** Everything sent to the server. */
  readonly sent: readonly string[]
  /** Messages delivered as data of the feed. */
  readonly data: readonly string[]
  readonly log: readonly LogLine[]
  readonly ended: ConnectError | null
  readonly terminated: boolean
  /** Makes each further send fail with this text. */
  failSends(reason: string): void
  serverSends(message: string | Buffer): void
  serverEnds(code: number, reason: string, error: ConnectError): void
  /** Advances the time. */
  pass(ms: number): void
}

/** Opens a connection with this configuration. `tick` runs the timers, for example node:test's mock timers. */
export function openFeed(props: Props, tick: (ms: number) => void): TestFeed {
  const config = parseConfig(websocketSpec, { 'websocket.url': 'ws://feed.test', 'kafka.topic': 't', ...props })
  const protocol = compileProtocol(config, props)
  const sent: string[] = []
  const data: string[] = []
  const log: LogLine[] = []
  const decode = messageDecoder(config)
  let now = 0
  let listener: ConnectionListener
  let ended: ConnectError | null = null
  let terminated = false
  let sendFailure: string | null = null
  const socket: WebSocketConnection = {
    responseCode: 101,
    subprotocol: '',
    send: (text, onFailed) => {
      sent.push(text)
      if (sendFailure !== null) onFailed?.(new Error(sendFailure))
    },
    ping: () => sent.push('<ping>'),
    pause: () => {},
    resume: () => {},
    close: (code, reason) => sent.push(`<close ${code} ${reason}>`),
    terminate: () => (terminated = true),
  }
  const clock = { now: () => NOW + now, monotonic: () => now, sleep: () => Promise.reject(new Error('no sleep here')) }
  const connection = new FeedConnection({
    config,
    protocol,
    values: { clock, sessionId: 'the-session', signer: protocol.signer },
    denials: new Denials(config),
    clock,
    log: rememberingLog(log),
    connect: (heard) => {
      listener = heard
      return Promise.resolve(socket)
    },
    afterReads: (look) => look(),
    runOf: (received) => new MessageRun(received, clock.now(), { number: 1 }, decode),
    onData: (run) => {
      for (const message of run.messages()) data.push(message.text ?? `<${message.data.length} bytes>`)
    },
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
    failSends: (reason) => (sendFailure = reason),
    serverSends: (message) => listener.onMessages(oneMessage(Buffer.from(message), typeof message !== 'string', true)),
    serverEnds: (code, reason, error) => listener.onEnd({ code, reason, error }),
    pass(ms) {
      for (const end = now + ms; now < end;) {
        now += OFTEN_MS
        tick(OFTEN_MS)
      }
    },
  }
}
