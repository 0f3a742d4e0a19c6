import { familyOf } from '../spec/prefixes.ts'
import { KeyValueListError, parseKeyValueList } from '../values/key-value-list.ts'
import { isSensitive } from '../values/secret.ts'
import type { ConfigSpecData, RawProps } from '../spec/spec.ts'

/** A URL with a login, in any setting. */
const LOGIN = /:\/\/[^\s/?#@]+@/g

/**
 * The texts of a configuration that must not be shown: the values of `password` and `sensitive` keys and families, of each header
 * in a list the value, and `user:password@` in all other values.
 */
export function secretsOf(data: ConfigSpecData, props: RawProps): string[] {
  const secrets: string[] = []
  for (const [name, value] of Object.entries(props)) {
    if (typeof value !== 'string') continue
    const spec = Object.hasOwn(data.keys, name) ? data.keys[name] : familyOf(data, name)?.spec
    if (!spec || !isSensitive(spec)) secrets.push(...(value.match(LOGIN) ?? []))
    else secrets.push(...(spec.validator?.kind === 'keyValueList' ? valuesOf(value) : [value]))
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
