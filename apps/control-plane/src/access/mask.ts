import { type ConfigSpecData, familyOf, HIDDEN, isSensitive, type KeySpec, type PrefixSpec } from '@tributary/config'

/**
 * The one list of names that a secret has, for the names of settings, of headers, of query parameters and of members of
 * JSON: words that mean a secret wherever they stand, and words that mean one at the end (`websocket.auth.token`, not
 * `oauth.token.url`). They are those that Kafka's own PASSWORD settings, the sanitizers of Kafka's user interfaces and
 * the clouds' SDKs know.
 */
const ANYWHERE =
  'password|passwd|passphrase|secret|credential|jaas|user-?info|private-?key|api-?key|access-?key(?!-?id)'
const AT_THE_END = 'token|\\bkey|\\bpwd|\\bpass|\\bauth|authorization|\\bcookie|signature|\\bsig|\\bsession'
const SECRET_NAME = new RegExp(`(?:${ANYWHERE})|(?:${AT_THE_END})s?$`)

/** A name and a value, as in `?name=value`, `name:value` and `"name": "value"`. */
const NAMED_VALUE = /(?<![\w.-])([A-Za-z][\w.-]*)\\*["']?\s*[=:]/g
/** The user and the password of a URL (RFC 3986, section 3.2.1). */
const USER_INFO = /\/\/[^/?#\s"']*@/

/** Nothing but references, such as `${file:/etc/feed.properties:token}` (KIP-297): they say where a secret is, not what it is. */
const REFERENCES = /^\s*(?:\$\{[^{}:]+:[^{}]*\}\s*)+$/

/** Settings by key. */
export type Settings = Readonly<Record<string, string>>

/** Whether a setting, header, parameter or member of this name is a secret. */
export function looksSecret(name: string): boolean {
  const words = name.replace(/([a-z])([A-Z])/g, '$1-$2').replaceAll(/[._]/g, '-')
  return SECRET_NAME.test(words.toLowerCase())
}

/** Whether a text holds a secret: the user of a URL, or a value with a name that looks like a secret's. */
export function holdsSecret(text: string): boolean {
  if (USER_INFO.test(text)) return true
  for (const [, name] of text.matchAll(NAMED_VALUE)) if (looksSecret(name!)) return true
  return false
}

/**
 * The keys of a configuration whose values are secrets: those that a spec declares so, those whose name or value looks
 * like a secret, and those that no spec knows, because a misspelt key may hold one. A value that only refers to a secret
 * is none.
 */
export function secretKeys(config: Settings, specs: readonly ConfigSpecData[]): Set<string> {
  return new Set(Object.keys(config).filter((key) => isSecret(key, config[key]!, specs)))
}

/** The configuration with `[hidden]`, the text of Kafka's PASSWORD type, in place of each value of `secrets`. */
export function masked(config: Settings, secrets: ReadonlySet<string>): Settings {
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [key, secrets.has(key) ? HIDDEN : value]))
}

function isSecret(key: string, value: string, specs: readonly ConfigSpecData[]): boolean {
  if (REFERENCES.test(value)) return false
  const declared = specs.flatMap((spec) => declarationOf(key, spec) ?? [])
  if (declared.length === 0 || declared.some(isSensitive)) return true
  if (declared.some(({ type }) => PLAIN_TYPES.includes(type))) return false
  return looksSecret(key) || holdsSecret(value)
}

/** The types whose values are never secrets. */
const PLAIN_TYPES: readonly (string | undefined)[] = ['boolean', 'int', 'short', 'long', 'double', 'class']

function declarationOf(key: string, spec: ConfigSpecData): KeySpec | PrefixSpec | null {
  return (Object.hasOwn(spec.keys, key) ? spec.keys[key] : familyOf(spec, key)?.spec) ?? null
}
