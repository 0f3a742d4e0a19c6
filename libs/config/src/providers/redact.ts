import { familyOf } from '../spec/prefixes.ts'
import { javaTrim } from '../values/parse-value.ts'
import { HIDDEN, isSensitive } from '../values/secret.ts'
import type { ConfigSpecData, RawProps } from '../spec/spec.ts'

/** Shorter texts are not replaced: replacing `1` or `on` everywhere would destroy messages and protect nothing. */
const MIN_SECRET_LENGTH = 4

/** The texts of a configuration that must not be shown: the values of `password` and `sensitive` keys and families. */
export function secretsOf(data: ConfigSpecData, props: RawProps): string[] {
  const secrets: string[] = []
  for (const [name, value] of Object.entries(props)) {
    if (typeof value !== 'string') continue
    const spec = Object.hasOwn(data.keys, name) ? data.keys[name] : familyOf(data, name)?.spec
    if (spec && isSensitive(spec)) secrets.push(javaTrim(value))
  }
  return secrets
}

/** Replaces secrets in a text by `[hidden]`. */
export interface Redactor {
  (text: string): string
  /** Every text that it replaces, so that the owner of many redactors can build one for all of them. */
  readonly forms: readonly string[]
}

/**
 * Returns a function that replaces each secret in a text by `[hidden]`, also where the secret is written as JSON,
 * URL-encoded or in Base64. `secrets` come from `secretsOf`, `Secret.reveal()` and `resolveReferences`.
 */
export function redactor(secrets: Iterable<string>): Redactor {
  const found = new Set<string>()
  for (const secret of secrets) {
    for (const plain of [secret, javaTrim(secret)]) {
      if (plain.length < MIN_SECRET_LENGTH) continue
      for (const form of writtenForms(plain)) found.add(form)
    }
  }
  // Longest first, so that a secret which begins with another one is replaced as a whole.
  const forms = [...found].sort((a, b) => b.length - a.length)
  if (forms.length === 0) return Object.assign((text: string) => text, { forms })
  const pattern = new RegExp(forms.map((form) => escapeRegex(form)).join('|'), 'g')
  return Object.assign((text: string) => text.replace(pattern, HIDDEN), { forms })
}

function escapeRegex(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}

function writtenForms(secret: string): string[] {
  const bytes = Buffer.from(secret, 'utf8')
  const wellFormed = secret.toWellFormed()
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(wellFormed),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
  ]
}
