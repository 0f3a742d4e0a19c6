import { ConfigError, type Props } from '@tributary/connect-api'
import { type WebSocketConfig, websocketSpec } from '../config/config.ts'
import { SUBSCRIPTION_PREFIX } from '../config/protocol-keys.ts'
import { jsonPlaces } from '../expressions/json-places.ts'
import { compileRule, type Rule } from '../expressions/rule.ts'
import { compileTemplate, type Template } from '../expressions/template.ts'
import { checkNames, createSigner, type Signer } from './template-values.ts'
import { wsErrors } from '../errors.ts'

/** One step of the initialization: a message to send, a reply to await, or both in this order. */
export interface InitializationStep {
  /** Name for logs and errors: `authentication`, `subscription 2`. */
  readonly name: string
  /** The configuration key of the step. */
  readonly key: string
  /** null: nothing is sent. */
  readonly message: Template | null
  /** Matches the reply that completes the step; null: no reply is awaited. */
  readonly ack: Rule | null
  /** Matches the reply that refuses the step. */
  readonly refuse: Rule | null
  /** Part of the authentication: later messages read its reply as `received`, and logs do not show its message. */
  readonly authenticates: boolean
}

/**
 * The application-level protocol of a feed (RFC 6455, section 1.9), as the configuration declares it: the messages that
 * are exchanged in addition to the data of the feed.
 */
export interface FeedProtocol {
  /** Authentication and subscriptions after the opening handshake, in order. */
  readonly steps: readonly InitializationStep[]
  readonly signer: Signer | null
  /** Our heartbeat messages and the reply to them. */
  readonly heartbeat: { readonly message: Template; readonly reply: Rule | null } | null
  /** Heartbeat messages of the server and our answer to them. */
  readonly serverHeartbeat: { readonly request: Rule; readonly response: Template } | null
}

/**
 * Compiles the protocol from the configuration. `report` receives each ConfigError with its key; by default the first
 * error is thrown.
 */
export function compileProtocol(
  config: WebSocketConfig,
  props: Props,
  report: (error: ConfigError) => void = (error) => {
    throw error
  },
): FeedProtocol {
  const attempt = <T>(compile: () => T): T | null => {
    try {
      return compile()
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      report(error)
      return null
    }
  }
  const signer = attempt(() => createSigner(config))
  const rule = (text: string | null | undefined, key: string): Rule | null =>
    text ? attempt(() => compileRule(text, key)) : null
  const template = (text: string | null | undefined, key: string, without: readonly string[] = []): Template | null =>
    text ? attempt(() => checkedTemplate(text, key, without, config)) : null

  return {
    steps: [...authentication(config, rule, template), ...subscriptions(config, props, rule, template, report)],
    signer,
    heartbeat: withMessage(
      template(config['websocket.heartbeat.message'], 'websocket.heartbeat.message', ['received.']),
      (message) => ({
        message,
        reply: rule(config['websocket.heartbeat.reply.match'], 'websocket.heartbeat.reply.match'),
      }),
    ),
    serverHeartbeat: withMessage(
      template(config['websocket.heartbeat.response'], 'websocket.heartbeat.response'),
      (response) => {
        const request = rule(config['websocket.heartbeat.request.match'], 'websocket.heartbeat.request.match')
        return request && { request, response }
      },
    ),
  }
}

type CompileRule = (text: string | null | undefined, key: string) => Rule | null
type CompileTemplate = (text: string | null | undefined, key: string, without?: readonly string[]) => Template | null

function withMessage<T>(template: Template | null, make: (template: Template) => T | null): T | null {
  return template && make(template)
}

function checkedTemplate(text: string, key: string, without: readonly string[], config: WebSocketConfig): Template {
  const template = compileTemplate(text, key, jsonPlaces)
  checkNames(template, key, without)
  if (template.names.includes('signature') && !config['websocket.signature.key']?.reveal()) {
    throw wsErrors.WEBSOCKET_SIGNATURE(`{{signature}} in ${key} needs websocket.signature.key`, {
      field: 'websocket.signature.key',
    })
  }
  return template
}

function authentication(config: WebSocketConfig, rule: CompileRule, template: CompileTemplate): InitializationStep[] {
  const steps: InitializationStep[] = []
  const [waitKey, key] = ['websocket.auth.wait.match', 'websocket.auth.message'] as const
  const greeting = rule(config[waitKey], waitKey)
  if (greeting) {
    const name = 'greeting'
    steps.push({ name, key: waitKey, message: null, ack: greeting, refuse: null, authenticates: true })
  }
  const message = template(config[key], key, greeting ? [] : ['received.'])
  const ack = rule(config['websocket.auth.ack.match'], 'websocket.auth.ack.match')
  const refuse = rule(config['websocket.auth.refuse.match'], 'websocket.auth.refuse.match')
  if (message) steps.push({ name: 'authentication', key, message, ack, refuse, authenticates: true })
  return steps
}

function subscriptions(
  config: WebSocketConfig,
  props: Props,
  rule: CompileRule,
  template: CompileTemplate,
  report: (error: ConfigError) => void,
): InitializationStep[] {
  const steps: InitializationStep[] = []
  const plainKey = 'websocket.subscription.message'
  const plain = config[plainKey]
  if (plain) {
    const message: Template = { names: [], render: () => plain }
    steps.push({ name: 'subscription', key: plainKey, message, ack: null, refuse: null, authenticates: false })
  }
  const numbered = websocketSpec.prefixed(props, SUBSCRIPTION_PREFIX)
  const numbers = new Set(Object.keys(numbered).flatMap((name) => /^(\d+)\./.exec(name)?.[1] ?? []))
  const received = config['websocket.auth.wait.match'] || config['websocket.auth.ack.match'] ? [] : ['received.']
  for (const n of [...numbers].sort((a, b) => Number(a) - Number(b))) {
    const key = `${SUBSCRIPTION_PREFIX}${n}.message`
    if (!numbered[`${n}.message`]) {
      report(wsErrors.WEBSOCKET_SUBSCRIPTION(`${key} must say what is sent`, { field: key }))
      continue
    }
    const message = template(numbered[`${n}.message`], key, received)
    const ack = rule(numbered[`${n}.ack.match`], `${SUBSCRIPTION_PREFIX}${n}.ack.match`)
    const refuse = rule(numbered[`${n}.refuse.match`], `${SUBSCRIPTION_PREFIX}${n}.refuse.match`)
    if (message) steps.push({ name: `subscription ${n}`, key, message, ack, refuse, authenticates: false })
  }
  return steps
}
