import { Secret } from '@tributary/config'
import type { FieldError, Props } from '@tributary/connect-api'
import type { ProducerSecurity } from '@tributary/kafka-producer'

export const SECURITY_NAMES = ['security.protocol', 'sasl.mechanism', 'sasl.jaas.config'] as const

const PROTOCOLS = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const
const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const
const LOGIN_MODULE = /^org\.apache\.kafka\.common\.security\.(?:plain\.Plain|scram\.Scram)LoginModule$/

type Outcome<T> = { readonly value: T } | { readonly reason: string }

/**
 * A connector's own protocol and login to Kafka (KIP-458): `producer.override.<name>`, or `<name>` itself if it is one of `ownKeys`. A
 * blank value is none. Settings of the worker's producer do not count: the worker's connection has its own.
 */
export function producerSecurity(
  props: Props,
  ownKeys: readonly string[],
): { readonly settings: ProducerSecurity | undefined; readonly errors: readonly FieldError[] } {
  const errors: FieldError[] = []
  const read = <T>(name: (typeof SECURITY_NAMES)[number], parse: (text: string) => Outcome<T>): T | undefined => {
    const override = `producer.override.${name}`
    const field = override in props || !ownKeys.includes(name) ? override : name
    const text = props[field]?.trim() ?? ''
    if (text === '') return undefined
    const outcome = parse(text)
    if ('value' in outcome) return outcome.value
    // The text of a login is a secret.
    const shown = name === 'sasl.jaas.config' ? '[hidden]' : text
    errors.push({ field, message: `Invalid value ${shown} for configuration ${field}: ${outcome.reason}` })
    return undefined
  }
  const protocol = read('security.protocol', oneOf(PROTOCOLS))
  const mechanism = read('sasl.mechanism', oneOf(MECHANISMS))
  const login = read('sasl.jaas.config', parseLogin)
  const settings = {
    ...(protocol !== undefined && { protocol }),
    ...(mechanism !== undefined && { mechanism }),
    ...(login !== undefined && { login }),
  }
  return { settings: Object.keys(settings).length === 0 ? undefined : settings, errors }
}

function oneOf<T extends string>(values: readonly T[]): (text: string) => Outcome<T> {
  return (text) => {
    const value = values.find((each) => each === text.toUpperCase())
    return value === undefined ? { reason: `String must be one of: ${values.join(', ')}` } : { value }
  }
}

/** Reads user and password of one entry of JAAS, `<module> <flag> name="value" …;` (Kafka's JaasConfig, with Java's escapes). */
function parseLogin(text: string): Outcome<NonNullable<ProducerSecurity['login']>> {
  const [, module, rest] = /^(\S+)\s+(?:required|requisite|sufficient|optional)\s+(.*?)\s*;$/is.exec(text) ?? []
  if (module === undefined || rest === undefined) return { reason: 'it has the form <login module> required username="…" password="…";' } // prettier-ignore
  if (!LOGIN_MODULE.test(module)) return { reason: 'the login module must be ScramLoginModule or PlainLoginModule of Apache Kafka' } // prettier-ignore
  const options = new Map<string, string>()
  for (const [, name, quoted, bare] of rest.matchAll(/([\w.]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s";]+))/gs)) {
    options.set(name!, quoted === undefined ? bare! : quoted.replaceAll(/\\(.)/gs, '$1'))
  }
  const username = options.get('username')
  const password = options.get('password')
  if (username === undefined || password === undefined) return { reason: 'username and password are needed' }
  return { value: { username, password: new Secret(password) } }
}
