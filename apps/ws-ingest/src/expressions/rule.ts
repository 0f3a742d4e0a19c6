import { compilePattern, type Pattern, PatternError } from '@tributary/config'
import type { ConfigError } from '@tributary/connect-api'
import { compilePath } from './json-path.ts'
import { wsErrors } from '../errors.ts'

/** What rules and paths read: a message, or one element of a message that is split. */
export interface Readable {
  /** null: the content is bytes, not text. */
  readonly text: string | null
  /** undefined: the text is not JSON. Integers beyond ±2^53 are bigint. */
  readonly json: unknown
}

/** Whether a message, or an element of a message, matches. */
export type Rule = (message: Readable) => boolean

/**
 * Compiles a rule for messages. A rule consists of conditions, joined by `&&` and `||`; `&&` binds tighter:
 *
 * - `path == value`, `path != value`: the field at a dotted path (`a.b.0`) has the value, or does not have it. An absent
 *   field has no value. `1`, `true` and `text` equal a number, a boolean or a string that is written so; `"1"` and `'1'`
 *   equal only a string; `null` equals only null.
 * - `path`, `!path`: the field is present and neither null nor false, or the opposite. A message without fields, such as
 *   the heartbeat `ping` or `2`, has the field if it is the path itself.
 * - `/regex/flags`: the regular expression (`compilePattern`) matches the message as text, or a part of it.
 *
 * A message that is not JSON has no fields. A message that is not text matches no regular expression. Throws ConfigError
 * on `key`.
 */
export function compileRule(text: string, key: string): Rule {
  const tokens = tokensOf(text, key)
  const alternatives: Rule[][] = [[]]
  for (let at = 0; ; at += 2) {
    const term = tokens[at]
    if (term === undefined || typeof term === 'string') throw invalid(key, 'a condition is missing')
    alternatives.at(-1)!.push(term)
    const joint = tokens[at + 1]
    if (joint === undefined) return anyOf(alternatives.map(allOf))
    if (typeof joint !== 'string') throw invalid(key, 'two conditions must be joined by && or ||')
    if (joint === '||') alternatives.push([])
  }
}

/** Patterns of tokens: sticky, and tried in this order wherever a token may begin. */
const SPACE = /\s+/y
const JOINT = /&&|\|\|/y
const REGEX = /\/((?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\[])+)\/([a-z]*)/y
const PATH = /[^\s=!&|/"']+/y
const VALUE = /"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([^\s&|"']+)/y

/** Flags that a rule may use. With g or y a regular expression would keep state between messages. */
const FLAGS = /^[dimsuv]*$/

/** Allows messages of 3 million characters with a pattern of a dozen, and takes about a second at worst. */
const MAX_STEPS = 40_000_000

/** Conditions and the operators that join them. */
function tokensOf(text: string, key: string): (Rule | '&&' | '||')[] {
  const tokens: (Rule | '&&' | '||')[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match !== null) at += match[0].length
    return match
  }
  const operator = (): string | undefined => {
    take(SPACE)
    return take(/[=!]=/y)?.[0]
  }
  for (take(SPACE); at < text.length; take(SPACE)) {
    const joint = take(JOINT)?.[0]
    if (joint !== undefined) {
      tokens.push(joint as '&&' | '||')
      continue
    }
    const regex = take(REGEX)
    if (regex !== null) {
      tokens.push(textMatches(regex[1]!, regex[2]!, key))
      continue
    }
    const negated = take(/!\s*/y) !== null
    const path = take(PATH)?.[0]
    if (path === undefined) throw invalid(key, `a path or /regex/ is expected before '${text.slice(at, at + 20)}'`)
    const comparison = negated ? undefined : operator()
    if (comparison === undefined) {
      tokens.push(isThere(path, !negated))
      continue
    }
    take(SPACE)
    const value = take(VALUE)
    if (value === null) throw invalid(key, `a value is missing after ${path} ${comparison}`)
    tokens.push(hasValue(path, valueTest(value), comparison === '=='))
  }
  return tokens
}

function valueTest([, double, single, word]: RegExpExecArray): (value: unknown) => boolean {
  const quoted = double ?? single
  if (quoted !== undefined) {
    const wanted = quoted.replaceAll(/\\(.)/gs, '$1')
    return (value) => value === wanted
  }
  if (word === 'null') return (value) => value === null
  return (value) => {
    const type = typeof value
    return (type === 'string' || type === 'number' || type === 'boolean' || type === 'bigint') && String(value) === word
  }
}

function hasValue(path: string, test: (value: unknown) => boolean, wanted: boolean): Rule {
  const read = compilePath(path)
  return (message) => test(read(message.json)) === wanted
}

function isThere(path: string, wanted: boolean): Rule {
  const read = compilePath(path)
  return (message) => {
    const { json } = message
    if (json === undefined || typeof json === 'number') return (message.text === path) === wanted
    const value = read(json)
    return (value !== undefined && value !== null && value !== false) === wanted
  }
}

function textMatches(source: string, flags: string, key: string): Rule {
  if (!FLAGS.test(flags))
    throw invalid(key, `'${flags}' are no flags of a regular expression here; d, i, m, s, u, v are`)
  try {
    const pattern = compilePattern(source, { flags, maxSteps: MAX_STEPS })
    return ({ text }) => {
      if (text !== null && text.length > pattern.maxLength) throw tooLong(text.length, pattern, key)
      return text !== null && pattern.test(text)
    }
  } catch (error) {
    throw error instanceof PatternError ? invalid(key, error.message, error) : error
  }
}

function tooLong(length: number, { source, maxLength }: Pattern, key: string): ConfigError {
  const text = `/${source}/ in ${key} reads messages of up to ${maxLength} characters, but a message has ${length}. Write a shorter expression, or path == value`
  return wsErrors.WEBSOCKET_RULE(text, { field: key })
}

function allOf(rules: readonly Rule[]): Rule {
  return rules.length === 1 ? rules[0]! : (message) => rules.every((rule) => rule(message))
}

function anyOf(rules: readonly Rule[]): Rule {
  return rules.length === 1 ? rules[0]! : (message) => rules.some((rule) => rule(message))
}

function invalid(key: string, reason: string, cause?: unknown): ConfigError {
  const text = `Invalid rule in ${key}: ${reason}. A rule is path == value, path or /regex/; write /^text$/ to match the whole text`
  return wsErrors.WEBSOCKET_RULE(text, { field: key, cause })
}
