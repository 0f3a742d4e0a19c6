import { ConfigError, type ConnectError, NotConnectedError } from '@tributary/connect-api'
import { preview } from '@tributary/push-source'
import type { Logger } from '@tributary/telemetry'
import type { Message } from '../message/message.ts'
import type { FeedProtocol, InitializationStep } from './feed-protocol.ts'
import { templateValues, type ValueSource } from './template-values.ts'
import { wsErrors } from '../errors.ts'

/** Documented length of `message_preview`. */
const PREVIEW_LENGTH = 100
/** Length of the server's text in an error. */
const REFUSAL_LENGTH = 1000

/**
 * - `waiting`: the next step follows the reply to this one; `since` is in running time
 * - `complete`: all messages are sent, and all awaited replies have arrived
 * - `failed`: the server refused a step, or a reply did not arrive in time
 */
export type InitializationState =
  | { readonly state: 'waiting'; readonly step: InitializationStep; readonly since: number }
  | { readonly state: 'complete' }
  | { readonly state: 'failed'; readonly error: ConnectError }

export interface InitializationOptions {
  readonly protocol: FeedProtocol
  readonly values: ValueSource
  /** Longest wait for a reply, in ms. */
  readonly timeoutMs: number
  readonly send: (text: string, onFailed: (error: Error) => void) => void
  readonly log: Logger
}

/**
 * The exchange after the opening handshake of one connection: authentication and subscriptions. The steps of the
 * protocol run one after another, each until its reply. Other messages in between are data of the feed. The owner calls
 * `tick`.
 */
export class Initialization {
  readonly #options: InitializationOptions
  #state: InitializationState = { state: 'complete' }
  #next = 0
  /** Steps without an awaited reply that the server may still refuse, at any time. */
  readonly #refusable: InitializationStep[] = []
  /** The message that completed the last step of the authentication. */
  #received: Message | null = null

  constructor(options: InitializationOptions) {
    this.#options = options
  }

  get state(): InitializationState {
    return this.#state
  }

  /** Whether `accept` must see the next messages. */
  get awaitsReply(): boolean {
    return this.#state.state === 'waiting' || this.#refusable.length > 0
  }

  /** Sends the messages up to the first awaited reply. `now` in running time. */
  start(now: number): void {
    try {
      this.#advance(now)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Handles a message; true if the message is a reply to a step. `now` in running time. */
  accept(message: Message, now: number): boolean {
    const refused = this.#refusable.find((step) => step.refuse!(message))
    if (refused !== undefined) return this.#refuse(refused, message)
    if (this.#state.state !== 'waiting') return false
    const { step } = this.#state
    if (step.refuse?.(message)) return this.#refuse(step, message)
    if (!step.ack!(message)) return false
    if (step.authenticates) this.#received = message
    this.#options.log.info('session_step_accepted', { step: step.name, waited_ms: Math.round(now - this.#state.since) })
    this.start(now)
    return true
  }

  tick(now: number): void {
    if (this.#state.state !== 'waiting' || now - this.#state.since < this.#options.timeoutMs) return
    const { step } = this.#state
    const what = step.message === null ? `The ${step.name} did not come` : `No reply to the ${step.name}`
    this.#fail(wsErrors.WEBSOCKET_SESSION_TIMEOUT(`${what} within ${this.#options.timeoutMs} ms; connecting again`))
  }

  #advance(now: number): void {
    const { steps } = this.#options.protocol
    while (this.#next < steps.length) {
      const step = steps[this.#next++]!
      if (step.message !== null) this.#send(step)
      if (step.ack !== null) {
        this.#state = { state: 'waiting', step, since: now }
        return
      }
      if (step.refuse !== null) this.#refusable.push(step)
    }
    this.#state = { state: 'complete' }
  }

  #send(step: InitializationStep): void {
    const { values, send, log } = this.#options
    const text = step.message!.render(templateValues(values, this.#received, step.key))
    send(text, (error) => {
      const fields = {
        message: `Failed to send ${step.authenticates ? 'authentication' : 'subscription'} message`,
        error,
      }
      log.error('session_step_failed', { ...fields, step: step.name })
    })
    if (step.authenticates) log.info('authentication_sent')
    else log.info('subscription_sent', { subscription: step.name, message_preview: preview(text, PREVIEW_LENGTH) })
  }

  #refuse(step: InitializationStep, message: Message): true {
    const reason = preview(message.text ?? `<${message.data.length} bytes>`, REFUSAL_LENGTH)
    const text = `The server refuses the ${step.name}: ${reason}`
    this.#fail(wsErrors.WEBSOCKET_REFUSED(text, { field: step.key }))
    return true
  }

  /** A template without a value is a ConfigError. */
  #fail(error: unknown): void {
    if (!(error instanceof ConfigError || error instanceof NotConnectedError)) throw error
    this.#state = { state: 'failed', error }
  }
}
