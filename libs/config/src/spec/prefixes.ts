import { invalidValue } from '../values/config-exception.ts'
import { javaTrim } from '../values/parse-value.ts'
import { hasReferences } from '../values/references.ts'
import { HIDDEN, isSensitive } from '../values/secret.ts'
import { checkPattern, checkValue } from './check-value.ts'
import type { ConfigSpecData, PrefixSpec, RawProps } from './spec.ts'

/**
 * The settings under a prefix, by their names without it: `grpc.metadata.x-id=1` → `{'x-id': '1'}`. Values are trimmed, unless the
 * family is untrimmed. The answer has no prototype, because sources look up names that a server sent: `constructor` must find
 * nothing.
 */
export function prefixedProps(data: ConfigSpecData, props: RawProps, prefix: string): Record<string, string> {
  const start = withDot(prefix)
  const kept = familyOf(data, start)?.spec.untrimmed === true
  const entries = Object.entries(props).flatMap(([name, value]) =>
    typeof value === 'string' && name.startsWith(start)
      ? [[name.slice(start.length), kept ? value : javaTrim(value)] as const]
      : [],
  )
  return Object.assign(Object.create(null) as Record<string, string>, Object.fromEntries(entries))
}

/**
 * The errors of keys that are not declared one by one: null values, and prefixed keys with a malformed name or value. Values with
 * references pass if `deferReferences`.
 */
export function prefixErrors(data: ConfigSpecData, props: RawProps, deferReferences = false): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || Object.hasOwn(data.keys, name)) continue
    if (value === null) {
      found.set(name, ['Null value can not be supplied as the configuration value.'])
      continue
    }
    const family = familyOf(data, name)
    if (!family) continue
    const deferred = deferReferences && hasReferences(value)
    const reason =
      checkSuffix(family.spec, name.slice(family.prefix.length)) ?? (deferred ? null : checkText(family.spec, value))
    if (reason !== null) found.set(name, [invalidValue(isSensitive(family.spec) ? HIDDEN : value, name, reason)])
  }
  return found
}

/** The declared family to which a key belongs; the longest matching prefix wins. */
export function familyOf(data: ConfigSpecData, name: string): { prefix: string; spec: PrefixSpec } | null {
  let best: { prefix: string; spec: PrefixSpec } | null = null
  for (const [declared, spec] of Object.entries(data.prefixes ?? {})) {
    const prefix = withDot(declared)
    if (name.startsWith(prefix) && prefix.length > (best?.prefix.length ?? 0)) best = { prefix, spec }
  }
  return best
}

function checkSuffix(spec: PrefixSpec, suffix: string): string | null {
  if (suffix === '') return 'a name must follow the prefix'
  if (spec.suffix === undefined) return null
  return checkPattern(`^(?:${spec.suffix})$`, suffix, `"${suffix}" is not a name that may follow the prefix`)
}

function checkText({ validator }: PrefixSpec, value: string): string | null {
  return validator === undefined ? null : checkValue(validator, javaTrim(value))
}

function withDot(prefix: string): string {
  return prefix.endsWith('.') ? prefix : `${prefix}.`
}
