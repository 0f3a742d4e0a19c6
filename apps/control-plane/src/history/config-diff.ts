import type { ConnectorConfig } from '@tributary/connect-storage'

/** The keys in which two configurations differ, sorted. Of a key in `hidden` only its presence counts. */
export function changedKeys(
  before: ConnectorConfig | null,
  after: ConnectorConfig | null,
  hidden: readonly string[] = [],
): string[] {
  const [from, to] = [before ?? {}, after ?? {}]
  const keys = new Set([...Object.keys(from), ...Object.keys(to)])
  const unseen = new Set(hidden)
  const differs = (key: string): boolean =>
    Object.hasOwn(from, key) !== Object.hasOwn(to, key) || (from[key] !== to[key] && !unseen.has(key))
  return [...keys].filter(differs).sort()
}

/** null: the key is not there. */
export interface KeyChange {
  readonly key: string
  readonly before: string | null
  readonly after: string | null
}

/** The changes of these keys, with the values as they are shown. */
export function keyChanges(
  keys: readonly string[],
  before: ConnectorConfig | null,
  after: ConnectorConfig | null,
): KeyChange[] {
  return keys.map((key) => ({ key, before: valueOf(before, key), after: valueOf(after, key) }))
}

function valueOf(config: ConnectorConfig | null, key: string): string | null {
  return config !== null && Object.hasOwn(config, key) ? config[key]! : null
}
