import { hasReferences, HIDDEN } from '@tributary/config'
import { type CliError, usageError } from './cli-error.ts'
import type { Config, ConnectorDocument } from './documents.ts'
import type { Output } from './output.ts'

/** A setting before and after; null: it is not there. `secret`: neither may be shown. */
export interface KeyChange {
  readonly key: string
  readonly before: string | null
  readonly after: string | null
  readonly secret: boolean
}

export interface Difference {
  readonly name: string
  readonly action: 'create' | 'change' | 'nothing' | 'delete'
  readonly changes: readonly KeyChange[]
  /** Keys whose present value the server hides, so that nobody can say whether the file's is another one. */
  readonly unseen: readonly string[]
  /** What is sent: the file's settings, with the present value wherever the file has the mask of a secret. */
  readonly config: Config
}

/** Names of settings that hold secrets, where no definition says so. */
const SECRET =
  /password|passphrase|secret|credential|token(?!s\.|izer|\.(endpoint|url))|api[._-]?key|private[._-]?key|jaas|authorization|\.key\.pem$/i

export function isSecretKey(key: string, known: ReadonlySet<string>): boolean {
  return known.has(key) || SECRET.test(key)
}

/** `present`: null where there is no such connector. `secrets`: keys that the connector's class calls passwords. */
export function differenceOf(
  { name, config: wanted, from }: Pick<ConnectorDocument, 'name' | 'config' | 'from'>,
  present: Config | null,
  secrets: ReadonlySet<string>,
): Difference {
  const config = Object.fromEntries(
    Object.entries(wanted).map(([key, value]) => {
      if (!value.includes(HIDDEN)) return [key, value]
      const stored = present?.[key]
      if (stored === undefined || value !== HIDDEN) throw maskWithoutSecret(name, key, from)
      return [key, stored]
    }),
  )
  const before: Config = present ?? {}
  const keys = [...new Set([...Object.keys(before), ...Object.keys(config)])].filter((key) => key !== 'name').sort()
  const unseen = keys.filter((key) => before[key] === HIDDEN && config[key] !== undefined && config[key] !== HIDDEN)
  const changes = keys.flatMap((key): KeyChange[] => {
    const [old, next] = [before[key] ?? null, config[key] ?? null]
    if (old === next || unseen.includes(key)) return []
    return [{ key, before: old, after: next, secret: isSecretKey(key, secrets) }]
  })
  const action = present === null ? 'create' : changes.length > 0 ? 'change' : 'nothing'
  return { name, action, changes, unseen, config }
}

function maskWithoutSecret(name: string, key: string, from: string): CliError {
  return usageError(
    `${from}: ${key} of ${name} is ${HIDDEN}, the mask of a secret, and the server has no value in its place.`,
    'Write the secret, or better a reference such as ${file:/secrets/x.properties:key}.',
  )
}

/** Passwords in URLs and values of secret settings do not reach the terminal. References do: they hold none. */
export function shownValue(value: string, secret: boolean): string {
  if (secret && value !== HIDDEN && !isReference(value)) return HIDDEN
  return value.replaceAll(/(\w+:\/\/[^\s/:@]*):[^\s/@]+@/g, `$1:${HIDDEN}@`)
}

/** Whether nothing but references stands in it. */
function isReference(value: string): boolean {
  return hasReferences(value) && value.replaceAll(/\$\{[^}]*\}/g, '') === ''
}

const WORDS = { create: 'new', change: 'changed', nothing: 'the same', delete: 'not in the files' } as const
const RED = 31
const GREEN = 32

/** As a diff: one line for what goes, one for what comes. */
export function showDifference(out: Output, { name, action, changes, unseen }: Difference): void {
  out.done(`${name}: ${WORDS[action]}`)
  for (const { key, before, after, secret } of changes) {
    if (before !== null) out.done(`  - ${key}: ${shownValue(before, secret)}`, RED)
    if (after !== null) out.done(`  + ${key}: ${shownValue(after, secret)}`, GREEN)
  }
  for (const key of unseen) out.done(`  ? ${key}: its present value is hidden from you, so it is sent`)
}
