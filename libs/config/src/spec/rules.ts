import { invalidValue } from '../values/config-exception.ts'
import type { ParsedValue } from '../values/parse-value.ts'
import type { KeySpec, Rule } from './spec.ts'

/** The state of one key during validation. */
export interface CheckedKey {
  readonly name: string
  readonly spec: KeySpec
  /** Whether the key was in the given settings. */
  readonly given: boolean
  /** Null: there is no value, or it did not parse. */
  readonly parsed: ParsedValue | null
  /** The value as answers show it. */
  readonly text: string | null
  readonly deferred: boolean
  readonly errors: string[]
  visible: boolean
}

/**
 * Applies the rules over several keys: adds errors and sets `visible`. A rule that names a key with an error is
 * skipped.
 */
export function applyRules(rules: readonly Rule[], keys: ReadonlyMap<string, CheckedKey>): void {
  for (const rule of rules) {
    if (rule.rule === 'visibleWhen') {
      const when = keys.get(rule.when)
      const key = keys.get(rule.key)
      if (key && when) key.visible = matches(when, rule.equals) !== false
    } else {
      applyRule(rule, keys)
    }
  }
}

function applyRule(rule: Exclude<Rule, { rule: 'visibleWhen' }>, keys: ReadonlyMap<string, CheckedKey>): void {
  const named = namesOf(rule).map((name) => keys.get(name))
  if (!named.every((key) => key !== undefined)) return
  if (named.some((key) => key.errors.length > 0)) return
  const reason = broken(rule, keys)
  const on = named.find((key) => key.name === reportedOn(rule))
  if (reason !== null && on) on.errors.push(rule.message ? invalidValue(on.text, on.name, rule.message) : reason)
}

/** Connect's full sentence for a broken rule; null when the rule holds. */
function broken(rule: Exclude<Rule, { rule: 'visibleWhen' }>, keys: ReadonlyMap<string, CheckedKey>): string | null {
  const key = (name: string): CheckedKey => keys.get(name)!
  switch (rule.rule) {
    case 'requires': {
      const lacking = rule.needs.filter((name) => !hasValue(key(name)))
      if (!isOn(key(rule.key)) || lacking.length === 0) return null
      return onKey(key(rule.on ?? rule.key), `${rule.key} needs ${lacking.join(' and ')} to be set too`)
    }
    case 'atLeastOneOf':
      if (rule.keys.some((name) => hasValue(key(name)))) return null
      return `Missing required configuration: one of ${rule.keys.join(', ')} must be set.`
    case 'exactlyOneOf': {
      const set = rule.keys.filter((name) => hasValue(key(name)))
      if (set.length === 0) return `Missing required configuration: one of ${rule.keys.join(', ')} must be set.`
      return set.length === 1 ? null : onKey(key(rule.keys[0]!), `only one of ${set.join(', ')} may be set`)
    }
    case 'atMostOneOf': {
      const set = rule.keys.filter((name) => hasValue(key(name)))
      return set.length <= 1 ? null : onKey(key(rule.keys[0]!), `only one of ${set.join(', ')} may be set`)
    }
    case 'requiredWhen': {
      if (matches(key(rule.when), rule.equals) !== true || hasValue(key(rule.key))) return null
      return `Missing required configuration "${rule.key}", which is needed when "${rule.when}" is ${rule.equals.join(' or ')}.`
    }
    default:
      return rule satisfies never
  }
}

/** The keys that a rule names. The first one gets the error. */
export function namesOf(rule: Rule): readonly string[] {
  switch (rule.rule) {
    case 'requires':
      return [...new Set([rule.on ?? rule.key, rule.key, ...rule.needs])]
    case 'atLeastOneOf':
    case 'exactlyOneOf':
    case 'atMostOneOf':
      return rule.keys
    case 'visibleWhen':
    case 'requiredWhen':
      return [rule.key, rule.when]
    default:
      return rule satisfies never
  }
}

function reportedOn(rule: Rule): string {
  return namesOf(rule)[0]!
}

function onKey(key: CheckedKey, reason: string): string {
  return invalidValue(key.text, key.name, reason)
}

function hasValue({ parsed }: CheckedKey): boolean {
  return parsed !== null && parsed !== '' && !(Array.isArray(parsed) && parsed.length === 0)
}

/** Whether the user asked for this. A default does not count, nor does a boolean that is false. */
function isOn(key: CheckedKey): boolean {
  return key.given && hasValue(key) && key.parsed !== false
}

/** Undefined: unknown, because the value is a reference. */
function matches(key: CheckedKey, equals: readonly string[]): boolean | undefined {
  if (key.deferred) return undefined
  return key.parsed !== null && equals.includes(String(key.parsed))
}
