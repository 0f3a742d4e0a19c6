import { checkValue } from './check-value.ts'
import { castSpecError } from './field-lists.ts'
import { invalidValue, missingValue } from '../values/config-exception.ts'
import { parseValue, stripTrailingComment, valueText } from '../values/parse-value.ts'
import type { ParsedValue } from '../values/parse-value.ts'
import { prefixErrors } from './prefixes.ts'
import { hasReferences } from '../values/references.ts'
import { applyRules, type CheckedKey } from './rules.ts'
import { HIDDEN, isSensitive } from '../values/secret.ts'
import type { ConfigSpecData, KeySpec, RawProps } from './spec.ts'

/** The value part of an entry of Connect's validate answer, with its members in Connect's order. */
export interface ConfigValue {
  readonly name: string
  /** The default when the key is unset; null when it has no value or did not parse; `[hidden]` for a secret. */
  readonly value: string | null
  readonly recommended_values: readonly string[]
  readonly errors: readonly string[]
  readonly visible: boolean
}

export interface ValidateOptions {
  /** Accepts a value that contains `${provider:…}` unchecked, because only a worker can resolve it. Default false. */
  readonly deferReferences?: boolean
}

/**
 * Checks settings against the data of a spec and reports every error of every key, with Kafka's texts. Keys that the
 * spec does not know are left out, except those with an error: a null value, or a prefixed key with a malformed name or
 * value.
 */
export function validateConfig(
  data: ConfigSpecData,
  props: RawProps,
  options: ValidateOptions = {},
): { values: ConfigValue[]; errorCount: number } {
  const values: ConfigValue[] = [...checkAll(data, props, options).values()].map((key) => ({
    name: key.name,
    value: key.text,
    recommended_values: key.spec.recommended ?? [],
    errors: key.errors,
    visible: key.visible,
  }))
  for (const [name, errors] of prefixErrors(data, props, options.deferReferences)) {
    values.push({ name, value: null, recommended_values: [], errors, visible: true })
  }
  return { values, errorCount: values.reduce((sum, value) => sum + value.errors.length, 0) }
}

/** Parses and checks all keys of the spec, then applies the rules over several keys. */
export function checkAll(
  data: ConfigSpecData,
  props: RawProps,
  options: ValidateOptions = {},
): Map<string, CheckedKey> {
  const keys = new Map<string, CheckedKey>()
  for (const [name, spec] of Object.entries(data.keys)) keys.set(name, checkKey(name, spec, own(props, name), options))
  applyRules(data.rules ?? [], keys)
  return keys
}

/** The settings come from users: the name `constructor` must not find what every object inherits. */
function own(props: RawProps, name: string): string | null | undefined {
  return Object.hasOwn(props, name) ? props[name] : undefined
}

function checkKey(name: string, spec: KeySpec, raw: string | null | undefined, options: ValidateOptions): CheckedKey {
  const outcome = (value: ParsedValue | null, errors: string[] = []): CheckedKey => {
    const hidden = value !== null && isSensitive(spec)
    const text = value === null ? null : hidden ? HIDDEN : valueText(value, spec.type)
    const reason = spec.validator ? checkValue(spec.validator, value) : null
    const sentence = spec.validator?.kind === 'castSpec' ? castSpecError(Array.isArray(value) ? value : []) : null
    if (sentence !== null) errors.push(sentence)
    const notFound = reason !== null && spec.type === 'class' && value !== null
    // An optional key without a value has nothing to check. A null that was sent is reported already.
    const optional = value === null && spec.default === null
    if (reason !== null && !optional) {
      const given = shown(Array.isArray(value) ? `[${value.join(', ')}]` : text, spec)
      errors.push(invalidValue(given, spec.checkedAs ?? name, reason))
    }
    const parsed = notFound ? null : value
    return {
      name,
      spec,
      given: typeof raw === 'string',
      parsed,
      text: notFound ? null : text,
      deferred: false,
      errors,
      visible: true,
    }
  }
  if (raw === undefined) {
    return spec.default === undefined ? outcome(null, [missingValue(name)]) : outcome(defaultValue(spec))
  }
  if (raw === null) return outcome(null, ['Null value can not be supplied as the configuration value.'])
  if (options.deferReferences && hasReferences(raw)) {
    const text = isSensitive(spec) ? HIDDEN : raw
    return { name, spec, given: true, parsed: raw, text, deferred: true, errors: [], visible: true }
  }
  if (spec.untrimmed) return outcome(raw)
  const result = parseValue(spec.stripComment ? stripTrailingComment(raw) : raw, spec.type)
  if ('value' in result) return outcome(result.value)
  return outcome(null, [invalidValue(isSensitive(spec) ? HIDDEN : raw, name, result.reason)])
}

/** A name that is refused may be of any length. */
const SHOWN_NAME = 200

function shown(text: string | null, { validator }: KeySpec): string | null {
  if (validator?.kind === 'url') return withoutUserInfo(text)
  return validator?.kind === 'nameText' && text !== null && text.length > SHOWN_NAME
    ? `${text.slice(0, SHOWN_NAME).toWellFormed()}…`
    : text
}

/** Errors are logged, and a URL may contain a password (RFC 3986, section 3.2.1). */
function withoutUserInfo(url: string | null): string | null {
  return url?.replaceAll(/(\/\/)[^/?#,]*@/g, `$1${HIDDEN}@`) ?? null
}

/** The default in its parsed form. Throws for a default that is not of its type; defineConfig has excluded that. */
export function defaultValue(spec: KeySpec): ParsedValue | null {
  const value = spec.default
  if (value === undefined || value === null) return null
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value === 'object') return [...value]
  const result = parseValue(String(value), spec.type)
  if ('value' in result) return result.value
  throw new TypeError(`default "${value}": ${result.reason}`)
}
