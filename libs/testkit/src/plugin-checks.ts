import assert from 'node:assert/strict'
import { errorKind, type Props, type TransformationPlugin } from '@tributary/connect-api'

type Spec = TransformationPlugin['spec']

/** Settings that a plugin refuses, and the key that its error names. */
export interface RefusedSettings {
  readonly props: Props
  readonly field: string
}

/** Throws AssertionError for a key without documentation. */
export function mustDocument(spec: Spec): void {
  for (const [key, { doc }] of Object.entries(spec.keys)) {
    assert.ok(doc.trim().length > 10, `${key} has no documentation`)
  }
  for (const [prefix, { doc }] of Object.entries(spec.prefixes ?? {})) {
    assert.ok(doc.trim().length > 10, `${prefix} has no documentation`)
  }
}

/** Leaves out each required key, gives nonsense to each number and flag, and passes on what the plugin refuses. */
export function mustRefuse(
  spec: Spec,
  props: Props,
  refused: readonly RefusedSettings[],
  create: (props: Props) => unknown,
): void {
  for (const [key, { type, default: otherwise }] of Object.entries(spec.keys)) {
    const { [key]: _, ...without } = props
    if (otherwise === undefined) mustBeConfigError(() => create(without), key)
    if (NO_TEXT.includes(type)) mustBeConfigError(() => create({ ...props, [key]: 'no such thing' }), key)
  }
  for (const { props: wrong, field } of refused) mustBeConfigError(() => create({ ...props, ...wrong }), field)
}

const NO_TEXT: readonly string[] = ['int', 'long', 'double', 'boolean']

function mustBeConfigError(run: () => unknown, field: string): void {
  let thrown: unknown
  try {
    run()
  } catch (error) {
    thrown = error
  }
  assert.ok(thrown !== undefined, `settings with a wrong ${field} are taken`)
  assert.equal(errorKind(thrown), 'config', `a wrong ${field} is no ConfigError: ${textOf(thrown)}`)
  const { field: own, errors } = thrown as { field?: string; errors?: readonly { name: string }[] }
  assert.equal(own ?? errors?.[0]?.name, field, `the error of a wrong ${field} does not name the key`)
}

/** Runs code on a record. A DataError is an answer, null; any other error fails. */
export function orDataError<T>(run: () => T): T | null {
  try {
    return run()
  } catch (error) {
    if (errorKind(error) === 'data') return null
    throw new assert.AssertionError({ message: `threw what is no DataError: ${textOf(error)}` })
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error)
}

/** Freezes objects and arrays at any depth, so that a write throws. Maps, bytes and dates cannot be frozen. */
export function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Date) return value
  if (value instanceof Map) {
    for (const entry of value) frozen(entry)
    return value
  }
  for (const name of Object.getOwnPropertyNames(value)) frozen((value as Record<string, unknown>)[name])
  return Object.freeze(value)
}

/** Throws AssertionError if an object of JavaScript has got a member that it should not have. */
export function mustBeClean(): void {
  assert.deepEqual(Object.keys(Object.prototype), [], 'the prototype of all objects has got a member')
  assert.equal(({} as { polluted?: unknown }).polluted, undefined)
}

/** Throws AssertionError for an object whose prototype came from data. */
export function mustBePlain(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) return value.forEach(mustBePlain)
  if (value instanceof Map) return [...value.values()].forEach(mustBePlain)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (
    ArrayBuffer.isView(value) ||
    (prototype !== Object.prototype && typeof prototype === 'object' && isClass(prototype))
  )
    return
  assert.ok(prototype === Object.prototype || prototype === null, 'a value has a prototype that came from data')
  for (const name of Object.getOwnPropertyNames(value)) mustBePlain((value as Record<string, unknown>)[name])
}

/** Instances of classes, such as Date and Decimal, are values too. */
function isClass(prototype: object | null): boolean {
  return prototype !== null && Object.hasOwn(prototype, 'constructor') && typeof prototype.constructor === 'function'
}
