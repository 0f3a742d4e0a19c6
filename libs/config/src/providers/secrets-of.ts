import { familyOf } from '../spec/prefixes.ts'
import { KeyValueListError, parseKeyValueList } from '../values/key-value-list.ts'
import { isSensitive } from '../values/secret.ts'
import type { ConfigSpecData, RawProps } from '../spec/spec.ts'

/** Names of the secrets of converters, transforms and Kafka clients, which no spec of a source declares. */
const UNDECLARED =
  /(?:password|passphrase|secret|credentials?|token|jaas\.config|user\.?info|private\.?key|api\.?key|access\.?key)$/i

/** A URL with a login, in any setting. */
const LOGIN = /:\/\/[^\s/?#@]+@/g

/**
 * The texts of a configuration that must not be shown: the values of `password` and `sensitive` keys and families, of keys that
 * the spec does not have and whose names sound like secrets, of each header in a list the value, and `user:password@` in all other values.
 */
export function secretsOf(data: ConfigSpecData, props: RawProps): string[] {
  const secrets: string[] = []
  for (const [name, value] of Object.entries(props)) {
    if (typeof value !== 'string') continue
    const spec = Object.hasOwn(data.keys, name) ? data.keys[name] : familyOf(data, name)?.spec
    if (spec ? !isSensitive(spec) : !UNDECLARED.test(name)) secrets.push(...(value.match(LOGIN) ?? []))
    else secrets.push(...(spec?.validator?.kind === 'keyValueList' ? valuesOf(value) : [value]))
  }
  return secrets
}

function valuesOf(list: string): string[] {
  try {
    return parseKeyValueList(list).map(([, value]) => value)
  } catch (error) {
    if (error instanceof KeyValueListError) return [list]
    throw error
  }
}
