import { isObject } from '../json/json-text.ts'
import { type Leaf, NO_VALUE } from './leaf.ts'
import { cidr, type Matcher, wildcard } from './patterns.ts'

/** One condition of a filter policy: an element of the list behind a name. */
export interface Condition {
  /** Whether the condition holds where the message has no such value. */
  readonly absent: boolean
  matches(leaf: Leaf): boolean
}

/** Throws the error of a policy: `path` says where in the policy, `why` what is wrong there. */
export type Fail = (path: string, why: string) => never

/** Compiles one element of a list of conditions. Operators are written in any case, as the JVM connector reads them. */
export function parseCondition(value: unknown, path: string, fail: Fail): Condition {
  if (!isObject(value)) return present(exact(value, path, fail))
  const { name, operand, at } = operatorOf(value, path, fail)
  switch (name) {
    case 'exists':
      if (typeof operand !== 'boolean') fail(at, `must be true or false, but is ${shown(operand)}`)
      return { absent: !operand, matches: () => operand === true }
    case 'numeric':
      return present(numeric(operand, at, fail))
    case 'anything-but':
      return present(anythingBut(operand, at, fail))
    case 'prefix':
    case 'suffix':
    case 'equals-ignore-case':
    case 'wildcard':
    case 'cidr':
      return present(onText(textMatcher(name, operand, at, fail)))
    default:
      return fail(
        at,
        'is no operator of a filter policy; there are prefix, suffix, wildcard, equals-ignore-case, exists, numeric, anything-but and cidr',
      )
  }
}

type Test = (leaf: Leaf) => boolean

const present = (matches: Test): Condition => ({ absent: false, matches })

const onText =
  (matches: Matcher): Test =>
  ({ text }) =>
    text !== undefined && matches(text)

interface Operator {
  readonly name: string
  readonly operand: unknown
  readonly at: string
}

function operatorOf(value: Readonly<Record<string, unknown>>, path: string, fail: Fail): Operator {
  const [key, ...more] = Object.keys(value)
  if (key === undefined) return fail(path, 'is an empty object; it must name one operator, such as {"prefix":"a"}')
  if (more.length > 0) {
    return fail(
      path,
      `names ${more.length + 1} operators; write each as an element of its own, {"${key}":…},{"${more[0]}":…}`,
    )
  }
  return { name: key.toLowerCase(), operand: value[key], at: `${path}.${key}` }
}

/** A string, a number, true, false or null. Numbers are compared as numbers: 100 is 100.0. */
function exact(value: unknown, path: string, fail: Fail): Test {
  if (typeof value === 'string') return (leaf) => leaf.text === value
  if (isNumber(value)) return (leaf) => leaf.number !== undefined && compare(leaf.number, value) === 0
  if (value === null || typeof value === 'boolean') return (leaf) => leaf.literal === value
  return fail(
    path,
    `must be a string, a number, true, false, null or an object with one operator, but is ${shown(value)}`,
  )
}

function textMatcher(name: string, operand: unknown, at: string, fail: Fail): Matcher {
  if (typeof operand !== 'string') return fail(at, `must be a string, but is ${shown(operand)}`)
  switch (name) {
    case 'prefix':
      return (text) => text.startsWith(operand)
    case 'suffix':
      return (text) => text.endsWith(operand)
    case 'equals-ignore-case': {
      const lower = operand.toLowerCase()
      return (text) => text.toLowerCase() === lower
    }
    default:
      return compiled(name === 'wildcard' ? wildcard : cidr, operand, at, fail)
  }
}

function compiled(compile: (text: string) => Matcher, text: string, at: string, fail: Fail): Matcher {
  try {
    return compile(text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return fail(at, `${error.message}: ${shown(text)}`)
  }
}

const NESTED_IN_ANYTHING_BUT = ['prefix', 'suffix', 'wildcard', 'equals-ignore-case']

/** What the operand names does not match; every other value does. */
function anythingBut(operand: unknown, at: string, fail: Fail): Test {
  const excluded = isObject(operand) ? nestedTests(operand, at, fail) : valueTests(operand, at, fail)
  return (leaf) => leaf !== NO_VALUE && !excluded.some((test) => test(leaf))
}

function nestedTests(operand: Readonly<Record<string, unknown>>, path: string, fail: Fail): Test[] {
  const { name, operand: inner, at } = operatorOf(operand, path, fail)
  if (!NESTED_IN_ANYTHING_BUT.includes(name))
    fail(at, `cannot stand in anything-but; ${NESTED_IN_ANYTHING_BUT.join(', ')} can`)
  return elements(inner, at, fail).map(([value, where]) => onText(textMatcher(name, value, where, fail)))
}

function valueTests(operand: unknown, path: string, fail: Fail): Test[] {
  return elements(operand, path, fail).map(([value, where]) => {
    if (typeof value !== 'string' && !isNumber(value))
      fail(where, `must be a string or a number, but is ${shown(value)}`)
    return exact(value, where, fail)
  })
}

/** The elements of a list, or the one value, each with its path. */
function elements(value: unknown, path: string, fail: Fail): (readonly [value: unknown, path: string])[] {
  if (!Array.isArray(value)) return [[value, path]]
  if (value.length === 0) fail(path, 'is an empty list')
  return value.map((element: unknown, i) => [element, `${path}[${i}]`])
}

/** `==` and `!=` are the JVM connector's; Amazon SNS has neither. */
const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  '=': (order) => order === 0,
  '==': (order) => order === 0,
  '!=': (order) => order !== 0,
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
}

/** `["=",1]`, `[">",0]`, or a range from below to above: `[">=",0,"<",100]`. */
function numeric(operand: unknown, path: string, fail: Fail): Test {
  if (!Array.isArray(operand) || operand.length < 2) {
    return fail(path, `must be a list such as [">=",0,"<",100], but is ${shown(operand)}`)
  }
  if (operand.length > 4 || operand.length === 3)
    fail(path, `must have one or two operators, each with a number behind it: ${shown(operand)}`)
  const [first, bottom] = [comparison(operand, 0, path, fail), operand[1] as number | bigint]
  if (operand.length === 2) return onNumber((number) => first(compare(number, bottom)))
  if (!['>', '>='].includes(operand[0] as string))
    fail(`${path}[0]`, `must be > or >= where a second operator follows, but is ${shown(operand[0])}`)
  if (!['<', '<='].includes(operand[2] as string))
    fail(`${path}[2]`, `must be < or <= behind ${shown(operand[0])}, but is ${shown(operand[2])}`)
  const [second, top] = [comparison(operand, 2, path, fail), operand[3] as number | bigint]
  if (compare(bottom, top) >= 0) fail(path, `is empty: ${bottom} must be less than ${top}`)
  return onNumber((number) => first(compare(number, bottom)) && second(compare(number, top)))
}

const onNumber =
  (matches: (number: number | bigint) => boolean): Test =>
  ({ number }) =>
    number !== undefined && matches(number)

function comparison(operand: readonly unknown[], i: number, path: string, fail: Fail): (order: number) => boolean {
  const operator = operand[i]
  if (typeof operator !== 'string' || !Object.hasOwn(COMPARISONS, operator)) {
    return fail(`${path}[${i}]`, `must be one of ${Object.keys(COMPARISONS).join(' ')}, but is ${shown(operator)}`)
  }
  if (!isNumber(operand[i + 1])) fail(`${path}[${i + 1}]`, `must be a number, but is ${shown(operand[i + 1])}`)
  return COMPARISONS[operator]!
}

const isNumber = (value: unknown): value is number | bigint => typeof value === 'number' || typeof value === 'bigint'

/** Exact also between a number and a bigint. */
const compare = (a: number | bigint, b: number | bigint): number => (a < b ? -1 : a > b ? 1 : 0)

const SHOWN_CHARS = 80

function shown(value: unknown): string {
  const text =
    typeof value === 'bigint'
      ? String(value)
      : (JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? String(v) : v)) ?? 'missing')
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)} …` : text
}
