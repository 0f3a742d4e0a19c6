import { familyOf } from '../spec/prefixes.ts'
import { javaTrim } from '../values/parse-value.ts'
import { HIDDEN, isSensitive } from '../values/secret.ts'
import type { ConfigSpecData, RawProps } from '../spec/spec.ts'

/** Shorter texts are not looked for: `1` or `on` would be replaced all over, and protects nothing. */
const MIN_SECRET_LENGTH = 4

/** The texts of a config that must not be shown: values of `password` and `sensitive` keys and families. */
export function secretsOf(data: ConfigSpecData, props: RawProps): string[] {
  const secrets: string[] = []
  for (const [name, value] of Object.entries(props)) {
    if (typeof value !== 'string') continue
    const spec = Object.hasOwn(data.keys, name) ? data.keys[name] : familyOf(data, name)?.spec
    if (spec && isSensitive(spec)) secrets.push(javaTrim(value))
  }
  return secrets
}

/** Puts `[hidden]` in the place of secrets in a text. */
export interface Redactor {
  (text: string): string
  /** Every text that it looks for: who has many redactors can look for all at once. */
  readonly forms: readonly string[]
}

/**
 * A function that puts `[hidden]` in the place of each secret in a text, also where it was written as JSON, URL-encoded
 * or in Base64. Give it the secrets of `secretsOf`, or `Secret.reveal()`, and those of `resolveReferences`.
 */
export function redactor(secrets: Iterable<string>): Redactor {
  const found = new Set<string>()
  for (const secret of secrets) {
    for (const plain of [secret, javaTrim(secret)]) {
      if (plain.length < MIN_SECRET_LENGTH) continue
      for (const form of writtenForms(plain)) found.add(form)
    }
  }
  // Longest first, so that a secret that begins with another one is replaced whole.
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
