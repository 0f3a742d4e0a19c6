import { parseJson } from '@tributary/config'
import { sqsErrors } from '../errors.ts'
import { duplicateKey, isObject } from '../json/json-text.ts'
import type { SqsMessage } from '../message.ts'
import { type Condition, type Fail, parseCondition } from './condition.ts'
import { type Leaf, leavesOfAttribute, leavesOfJson } from './leaf.ts'

/** What a policy looks at, by SNS's names (`FilterPolicyScope`). */
export type PolicyScope = 'MessageAttributes' | 'MessageBody'

export interface PolicyOptions {
  readonly scope: PolicyScope
  /** The config key of the policy, which errors carry as their field. */
  readonly key: string
  /** Whether SNS's quotas hold: five names, 150 combinations of values. The JVM connector had none. */
  readonly quotas: boolean
}

/**
 * A subscription filter policy of Amazon SNS: all names must match, each by one condition of its list. Conditions see numbers as
 * numbers and an array as its elements, of which one must match (SNS developer guide, "Subscription filter policies").
 */
export interface FilterPolicy {
  /** A body that is no JSON object matches no policy on the body. */
  matches(message: Pick<SqsMessage, 'body' | 'attributes'>): boolean
  /** The attributes that the policy looks at; [] for a policy on the body. */
  readonly attributeNames: readonly string[]
}

/** SNS's quotas, and its limit of a policy's size in bytes. */
const MAX_BYTES = 256 * 1024
const MAX_NAMES = 5
const MAX_COMBINATIONS = 150

/** All of `rules` and `nested` must match, and of each group in `either` one node. */
interface Node {
  readonly rules: { readonly name: string; readonly conditions: readonly Condition[] }[]
  readonly nested: { readonly name: string; readonly node: Node }[]
  readonly either: (readonly Node[])[]
}

/** Compiles a policy. Throws ConfigError SQS_FILTER_POLICY, which says where in the policy and why. */
export function parsePolicy(text: string, { scope, key, quotas }: PolicyOptions): FilterPolicy {
  const refuse = (why: string, cause?: unknown): never => {
    throw sqsErrors.SQS_FILTER_POLICY(why, { field: key, cause })
  }
  if (Buffer.byteLength(text) > MAX_BYTES) refuse(`Filter policy must have at most ${MAX_BYTES} bytes`)
  const policy = parsedObject(text, refuse)
  const fail: Fail = (path, why) => refuse(`Filter policy: ${path} ${why}`)
  const root = compile(policy, '', scope, fail)
  if (quotas) checkQuotas(policy, refuse)
  return scope === 'MessageBody'
    ? { attributeNames: [], matches: ({ body }) => matchesBody(root, body) }
    : {
        attributeNames: [...new Set(namesIn(root))],
        matches: ({ attributes }) => matchesNode(root, (name) => attributeLeaves(attributes, name)),
      }
}

function parsedObject(
  text: string,
  refuse: (why: string, cause?: unknown) => never,
): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = parseJson(text)
  } catch (cause) {
    return refuse(`Filter policy must be valid JSON object: ${(cause as Error).message}`, cause)
  }
  if (!isObject(value)) return refuse('Filter policy must be valid JSON object, as {"Type":["order"]}')
  const twice = duplicateKey(text)
  if (twice !== null)
    refuse(`Filter policy: ${JSON.stringify(twice)} comes twice in one object; write one list for both`)
  return value
}

function compile(object: Readonly<Record<string, unknown>>, path: string, scope: PolicyScope, fail: Fail): Node {
  const node: Node = { rules: [], nested: [], either: [] }
  for (const [key, value] of Object.entries(object)) {
    const at = path === '' ? key : `${path}.${key}`
    if (key.toLowerCase() === '$or') node.either.push(alternatives(value, at, scope, fail))
    else add(node, scope === 'MessageBody' ? key.split('.') : [key], value, at, scope, fail)
  }
  return node
}

/** SNS reads a name with dots in a policy on the body as a path, so `a.b` is `b` in `a`. */
function add(node: Node, names: readonly string[], value: unknown, at: string, scope: PolicyScope, fail: Fail): void {
  const [name, ...deeper] = names as [string, ...string[]]
  if (deeper.length > 0) {
    const inner: Node = { rules: [], nested: [], either: [] }
    add(inner, deeper, value, at, scope, fail)
    node.nested.push({ name, node: inner })
  } else if (Array.isArray(value)) {
    if (value.length === 0) fail(at, 'is an empty list, which nothing matches; remove the name, or list values')
    const conditions = value.map((element: unknown, i) => parseCondition(element, `${at}[${i}]`, fail))
    node.rules.push({ name, conditions })
  } else if (!isObject(value)) fail(at, `must be a list of conditions, as ["a"] or [{"prefix":"a"}]`)
  else if (scope === 'MessageAttributes') {
    fail(
      at,
      'must be a list; only a policy on the body has objects within objects: sqs.message.filter.policy.scope=MessageBody',
    )
  } else if (Object.keys(value).length === 0) fail(at, 'is an empty object')
  else node.nested.push({ name, node: compile(value, at, scope, fail) })
}

function alternatives(value: unknown, at: string, scope: PolicyScope, fail: Fail): readonly Node[] {
  if (!Array.isArray(value) || value.length < 2) return fail(at, 'must be a list of at least two objects')
  return value.map((branch: unknown, i) => {
    if (!isObject(branch) || Object.keys(branch).length === 0)
      return fail(`${at}[${i}]`, 'must be an object with names')
    return compile(branch, `${at}[${i}]`, scope, fail)
  })
}

function checkQuotas(policy: Readonly<Record<string, unknown>>, refuse: (why: string) => never): void {
  const names = Object.keys(policy).length
  if (names > MAX_NAMES) refuse(`Filter policy has ${names} names; Amazon SNS allows ${MAX_NAMES}`)
  const count = combinations(policy, 1, 1)
  if (count > MAX_COMBINATIONS) {
    refuse(
      `Filter policy is too complex: its lists make ${count} combinations of values; Amazon SNS allows ${MAX_COMBINATIONS}`,
    )
  }
}

/** The product of the lengths of all lists, each times its depth; the alternatives of `$or` are added (SNS, "Filter policy constraints"). */
function combinations(object: Readonly<Record<string, unknown>>, depth: number, before: number): number {
  let count = before
  for (const [key, value] of Object.entries(object)) {
    if (isObject(value)) count = combinations(value, depth + 1, count)
    else if (key.toLowerCase() === '$or') {
      const start = count
      const branches = value as readonly Readonly<Record<string, unknown>>[]
      count = branches.reduce((sum, branch) => sum + combinations(branch, depth, start), 0)
    } else count *= (value as readonly unknown[]).length * depth
  }
  return count
}

function namesIn({ rules, either }: Node): string[] {
  return [...rules.map(({ name }) => name), ...either.flat().flatMap(namesIn)]
}

function attributeLeaves(attributes: SqsMessage['attributes'], name: string): readonly Leaf[] {
  const attribute = Object.hasOwn(attributes, name) ? attributes[name] : undefined
  return attribute === undefined ? [] : leavesOfAttribute(attribute)
}

function matchesBody(root: Node, body: string): boolean {
  let value: unknown
  try {
    value = parseJson(body)
  } catch (error) {
    if (error instanceof SyntaxError) return false
    throw error
  }
  return isObject(value) && matchesJson(root, value)
}

/** An array matches if one of its elements does: all conditions of a node must hold for the same element. */
function matchesJson(node: Node, value: unknown): boolean {
  if (Array.isArray(value) && value.length > 0) return value.some((element) => matchesJson(node, element))
  const object = isObject(value) ? value : {}
  return matchesNode(
    node,
    (name) => leavesOfJson(child(object, name)),
    (name) => child(object, name),
  )
}

/** The field of a name. Fields whose names begin with it and a dot are fields of its value, as SNS reads them. */
function child(object: Readonly<Record<string, unknown>>, name: string): unknown {
  const own = Object.hasOwn(object, name) ? object[name] : undefined
  if (own !== undefined && !isObject(own)) return own
  const dotted = Object.keys(object).filter((key) => key.startsWith(`${name}.`))
  if (dotted.length === 0) return own
  return { ...own, ...Object.fromEntries(dotted.map((key) => [key.slice(name.length + 1), object[key]])) }
}

function matchesNode(
  node: Node,
  leaves: (name: string) => readonly Leaf[],
  inner?: (name: string) => unknown,
): boolean {
  return (
    node.rules.every(({ name, conditions }) => matchesOne(conditions, leaves(name))) &&
    node.nested.every(({ name, node: nested }) => matchesJson(nested, inner?.(name))) &&
    node.either.every((nodes) => nodes.some((one) => matchesNode(one, leaves, inner)))
  )
}

function matchesOne(conditions: readonly Condition[], leaves: readonly Leaf[]): boolean {
  return conditions.some((condition) =>
    leaves.length === 0 ? condition.absent : leaves.some((leaf) => condition.matches(leaf)),
  )
}
