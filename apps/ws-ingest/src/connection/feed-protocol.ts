import { ConfigError, type Props } from '@tributary/connect-api'
import { type WebSocketConfig, websocketSpec } from '../config/config.ts'
import { SUBSCRIPTION_PREFIX } from '../config/protocol-keys.ts'
import { compileRule, type Rule } from '../expressions/rule.ts'
import { compileTemplate, type Template } from '../expressions/template.ts'
import { checkNames, createSigner, type Signer } from './template-values.ts'

/** One step of a session: something to say, something to wait for, or both in this order. */
export interface SessionStep {
  /** For logs and errors: `authentication`, `subscription 2`. */
  readonly name: string
  /** The setting that it comes from. */
  readonly key: string
  /** null: nothing is said. */
  readonly message: Template | null
  /** The reply that ends the step; null: it ends at once. */
  readonly ack: Rule | null
  readonly refuse: Rule | null
  /** Is it part of the authentication: its reply is what later messages name `received`, and its message is not shown? */
  readonly authenticates: boolean
}

/** A session as it is declared by the settings. */
export interface SessionPlan {
  readonly steps: readonly SessionStep[]
  readonly signer: Signer | null
  readonly heartbeat: { readonly message: Template; readonly reply: Rule | null } | null
  readonly answer: { readonly request: Rule; readonly response: Template } | null
}

/**
 * Reads the session out of the settings. `report` gets each ConfigError, on its setting; by default the first one is thrown.
 */
export function planSession(
  config: WebSocketConfig,
  props: Props,
  report: (error: ConfigError) => void = (error) => {
    throw error
  },
): SessionPlan {
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
    answer: withMessage(
      template(config['websocket.heartbeat.response'], 'websocket.heartbeat.response'),
      (response) => {
        const request = rule(config['websocket.heartbeat.request.match'], 'websocket.heartbeat.request.match')
        return request && { request, response }
      },
    ),
  }
}

type CompileRule = (text: string | null | undefined, key: string) => Rule | null
type Compile = (text: string | null | undefined, key: string, without?: readonly string[]) => Template | null

function withMessage<T>(template: Template | null, make: (template: Template) => T | null): T | null {
  return template && make(template)
}

function checkedTemplate(text: string, key: string, without: readonly string[], config: WebSocketConfig): Template {
  const template = compileTemplate(text, key)
  checkNames(template, key, without)
  if (template.names.includes('signature') && !config['websocket.signature.key']?.reveal()) {
    throw new ConfigError('WEBSOCKET_SIGNATURE', `{{signature}} in ${key} needs websocket.signature.key`, {
      field: 'websocket.signature.key',
    })
  }
  return template
}

function authentication(config: WebSocketConfig, rule: CompileRule, template: Compile): SessionStep[] {
  const steps: SessionStep[] = []
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
  template: Compile,
  report: (error: ConfigError) => void,
): SessionStep[] {
  const steps: SessionStep[] = []
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
      report(new ConfigError('WEBSOCKET_SUBSCRIPTION', `${key} must say what is sent`, { field: key }))
      continue
    }
    const message = template(numbered[`${n}.message`], key, received)
    const ack = rule(numbered[`${n}.ack.match`], `${SUBSCRIPTION_PREFIX}${n}.ack.match`)
    const refuse = rule(numbered[`${n}.refuse.match`], `${SUBSCRIPTION_PREFIX}${n}.refuse.match`)
    if (message) steps.push({ name: `subscription ${n}`, key, message, ack, refuse, authenticates: false })
  }
  return steps
}
