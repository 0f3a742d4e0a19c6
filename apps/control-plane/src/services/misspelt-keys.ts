import { type ConfigSpecData, familyOf } from '@tributary/config'

/** Kafka Connect's families: what follows these prefixes is an alias, or a setting that another component knows. */
const FAMILIES: readonly string[] = [
  'transforms.',
  'predicates.',
  'topic.creation.',
  'key.converter.',
  'value.converter.',
  'header.converter.',
  'producer.override.',
  'consumer.override.',
  'admin.override.',
]
/** A request may hold any number of keys. */
const MAX_CHECKED = 50
const MAX_LENGTH = 200

export interface MisspeltKey {
  readonly name: string
  /** The known key that the user most probably meant. */
  readonly nearest: string
}

/** The keys that no spec knows and that are a few letters away from one that a spec knows. Other unknown keys may be meant. */
export function misspeltKeys(names: readonly string[], specs: readonly ConfigSpecData[]): MisspeltKey[] {
  const known = new Set(specs.flatMap((spec) => Object.keys(spec.keys)))
  const prefixes = [...FAMILIES, ...specs.flatMap((spec) => Object.keys(spec.prefixes ?? {}))]
  const isKnown = (name: string): boolean =>
    known.has(name) ||
    FAMILIES.some((prefix) => name.startsWith(prefix)) ||
    specs.some((spec) => familyOf(spec, name) !== null)
  const unknown = names.filter((name) => !isKnown(name) && name.length <= MAX_LENGTH).slice(0, MAX_CHECKED)
  return unknown.flatMap((name) => {
    const nearest = nearestOf(name, [...known, ...prefixes.flatMap((prefix) => inFamily(name, prefix))])
    return nearest === null ? [] : [{ name, nearest }]
  })
}

/** The name as a member of the family: its first parts replaced by the prefix. Empty if it has too few parts. */
function inFamily(name: string, prefix: string): string[] {
  const start = prefix.endsWith('.') ? prefix : `${prefix}.`
  const parts = name.split('.')
  const own = parts.slice(start.split('.').length - 1)
  return own.length === 0 ? [] : [start + own.join('.')]
}

/** One wrong letter for each six, at most four: `tasks.maxx`, `websocket.reconect.intervall.ms`. */
function nearestOf(name: string, candidates: readonly string[]): string | null {
  let bound = Math.min(4, Math.floor(name.length / 6)) + 1
  let nearest: string | null = null
  for (const candidate of candidates) {
    const distance = levenshtein(name, candidate, bound)
    if (distance >= bound) continue
    bound = distance
    nearest = candidate
  }
  return nearest
}

/** Letters to insert, delete or replace; `bound` if there are as many or more. */
function levenshtein(a: string, b: string, bound: number): number {
  if (Math.abs(a.length - b.length) >= bound) return bound
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    if (Math.min(...next) >= bound) return bound
    row = next
  }
  return row[b.length]!
}
