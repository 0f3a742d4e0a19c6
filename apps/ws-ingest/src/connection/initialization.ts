import { HIDDEN } from '@tributary/config'
import { ConfigError, type ConnectError, NotConnectedError } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import type { Frame } from '../message/message.ts'
import type { SessionPlan, SessionStep } from './feed-protocol.ts'
import { templateValues, type ValueSource } from './template-values.ts'

/** As the documents promise. */
const PREVIEW_LENGTH = 100
/** Of the server's words in an error. */
const WORDS_LENGTH = 1000

/**
 * - `waiting`: the reply to a step must come before the next one; since when, in running time
 * - `streaming`: all is said
 * - `failed`: refused, or the reply did not come
 */
export type SessionState =
  | { readonly state: 'waiting'; readonly step: SessionStep; readonly since: number }
  | { readonly state: 'streaming' }
  | { readonly state: 'failed'; readonly error: ConnectError }

export interface SessionOptions {
  readonly plan: SessionPlan
  readonly values: ValueSource
  /** Longest wait for a reply, in ms. */
  readonly timeoutMs: number
  readonly send: (text: string) => void
  readonly log: Logger
}

/**
 * One connection's session: the steps of the plan one after the other, each until its reply. It has no timer: who holds it
 * tells it the time. What comes in between and is no reply is the feed's.
 */
export class Session {
  readonly #options: SessionOptions
  #state: SessionState = { state: 'streaming' }
  #next = 0
  /** Steps whose acceptance nobody waits for, though they can be refused, at any time. */
  readonly #standing: SessionStep[] = []
  /** What ended the last step of the authentication. */
  #received: Frame | null = null

  constructor(options: SessionOptions) {
    this.#options = options
  }

  get state(): SessionState {
    return this.#state
  }

  /** Is there a message that it would want to see? */
  get listens(): boolean {
    return this.#state.state === 'waiting' || this.#standing.length > 0
  }

  /** Says what there is to say up to the first reply. */
  start(now: number): void {
    try {
      this.#advance(now)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Is it the session's message? */
  accept(frame: Frame, now: number): boolean {
    const refused = this.#standing.find((step) => step.refuse!(frame))
    if (refused !== undefined) return this.#refuse(refused, frame)
    if (this.#state.state !== 'waiting') return false
    const { step } = this.#state
    if (step.refuse?.(frame)) return this.#refuse(step, frame)
    if (!step.ack!(frame)) return false
    if (step.authenticates) this.#received = frame
    this.#options.log.info('session_step_accepted', { step: step.name, waited_ms: Math.round(now - this.#state.since) })
    this.start(now)
    return true
  }

  tick(now: number): void {
    if (this.#state.state !== 'waiting' || now - this.#state.since < this.#options.timeoutMs) return
    const { step } = this.#state
    const what = step.message === null ? `The ${step.name} did not come` : `No reply to the ${step.name}`
    this.#fail(
      new NotConnectedError(
        'WEBSOCKET_SESSION_TIMEOUT',
        `${what} within ${this.#options.timeoutMs} ms; connecting again`,
      ),
    )
  }

  #advance(now: number): void {
    const { steps } = this.#options.plan
    while (this.#next < steps.length) {
      const step = steps[this.#next++]!
      if (step.message !== null) this.#say(step)
      if (step.ack !== null) {
        this.#state = { state: 'waiting', step, since: now }
        return
      }
      if (step.refuse !== null) this.#standing.push(step)
    }
    this.#state = { state: 'streaming' }
  }

  #say(step: SessionStep): void {
    const { values, send, log } = this.#options
    const text = step.message!.render(templateValues(values, this.#received, step.key))
    send(text)
    if (step.authenticates) log.info('authentication_sent')
    else log.info('subscription_sent', { subscription: step.name, message_preview: preview(text, PREVIEW_LENGTH) })
  }

  #refuse(step: SessionStep, frame: Frame): true {
    const words = preview(frame.text ?? `<${frame.data.length} bytes>`, WORDS_LENGTH)
    const text = `The server refuses the ${step.name}: ${words}`
    this.#fail(new ConfigError('WEBSOCKET_REFUSED', text, { field: step.key }))
    return true
  }

  /** A template whose value cannot be had is a mistake in the configuration. */
  #fail(error: unknown): void {
    if (!(error instanceof ConfigError || error instanceof NotConnectedError)) throw error
    this.#state = { state: 'failed', error }
  }
}

const SECRET_NAME = 'token|key|secret|password|passphrase|passwd|auth|sign|credential|jwt|cookie'
const SECRET_KEY = new RegExp(SECRET_NAME, 'i')
/** `name=value` and `name: value` outside of JSON. */
const SECRET_PAIR = new RegExp(
  `([\\w.-]*(?:${SECRET_NAME})[\\w.-]*["']?\\s*[:=]\\s*)("[^"]*"|'[^']*'|[^\\s,;&"']+)`,
  'gi',
)
const BEARER = /\b(bearer|basic)\s+[\w.~+/=-]+/gi

/**
 * A message as logs and errors may show it: secrets first replaced, then cut to `length`, as a cut first would leave the
 * beginning of one behind. Secret is what stands under a key that sounds so, and a bearer token anywhere.
 */
export function preview(text: string, length: number): string {
  const masked = maskJson(text) ?? text.replaceAll(SECRET_PAIR, `$1${HIDDEN}`)
  const shown = masked.replaceAll(BEARER, `$1 ${HIDDEN}`)
  return shown.length > length ? `${shown.slice(0, length)}…` : shown
}

/** null: it is not JSON. */
function maskJson(text: string): string | null {
  if (!/^\s*[{[]/.test(text)) return null
  try {
    return JSON.stringify(JSON.parse(text), (key, value: unknown) => (SECRET_KEY.test(key) ? HIDDEN : value))
  } catch (error) {
    if (error instanceof SyntaxError) return null
    throw error
  }
}
