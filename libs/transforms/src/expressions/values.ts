import { Decimal } from '@tributary/connect-api'
import { charge, chargeText, EvaluationFailure, LimitExceeded, MAX_DEPTH } from './limits.ts'

/** A span of time, in ms. Timestamps are Date. */
export class Duration {
  readonly ms: number
  constructor(ms: number) {
    this.ms = ms
  }
}

type Kind = 'null' | 'bool' | 'int' | 'double' | 'string' | 'bytes' | 'timestamp' | 'duration' | 'list' | 'map'

/** The type in CEL's words. A number of a record is a double; an integer of the expression, or an int64 of a schema, is an int. */
export function kindOf(value: unknown): Kind {
  switch (typeof value) {
    case 'string':
      return 'string'
    case 'number':
      return 'double'
    case 'bigint':
      return 'int'
    case 'boolean':
      return 'bool'
    default:
      if (value === null || value === undefined) return 'null'
      if (Array.isArray(value)) return 'list'
      if (value instanceof Uint8Array) return 'bytes'
      if (value instanceof Date) return 'timestamp'
      if (value instanceof Duration) return 'duration'
      return value instanceof Decimal ? 'double' : 'map'
  }
}

export function noOverload(operator: string, a: unknown, b: unknown): EvaluationFailure {
  return new EvaluationFailure(`no such overload: ${kindOf(a)} ${operator} ${kindOf(b)}`)
}

/** null for what is no number. */
export function numberOf(value: unknown): number | bigint | null {
  if (typeof value === 'number' || typeof value === 'bigint') return value
  return value instanceof Decimal ? Number(decimalText(value)) : null
}

/** The digits of a decimal. Counts them: writing them takes time in proportion to more than their number. */
export function decimalText(value: Decimal): string {
  const { unscaled, scale } = value
  charge(Math.abs(scale) / 16)
  if (BigInt.asIntN(64, unscaled) !== unscaled) charge(4 * unscaled.toString(16).length)
  return value.toString()
}

/** The index or the size that a number stands for; null for any other value. */
export function indexOf(value: unknown): number | null {
  if (typeof value === 'number') return Number.isInteger(value) ? value : null
  return typeof value === 'bigint' ? Number(value) : null
}

/** CEL's equality: values of two types differ, but numbers are compared by their value. */
export function equal(a: unknown, b: unknown, depth = 0): boolean {
  // Two texts that are equal are compared to their end.
  if (typeof a === 'string' && typeof b === 'string' && a.length === b.length) chargeText(a.length)
  if (a === b) return true
  const numeric = numberOf(a)
  if (numeric !== null) return equalNumbers(numeric, numberOf(b))
  const kind = kindOf(a)
  if (kind !== kindOf(b)) return false
  switch (kind) {
    case 'null':
      return true
    case 'timestamp':
      return (a as Date).getTime() === (b as Date).getTime()
    case 'duration':
      return (a as Duration).ms === (b as Duration).ms
    case 'bytes':
      chargeText((a as Uint8Array).length)
      return Buffer.compare(a as Uint8Array, b as Uint8Array) === 0
    case 'list':
      return equalLists(a as unknown[], b as unknown[], deeper(depth))
    case 'map':
      return equalMaps(a as object, b as object, deeper(depth))
    default:
      return false
  }
}

/** JavaScript orders bigint and number exactly. */
function equalNumbers(a: number | bigint, b: number | bigint | null): boolean {
  return b !== null && a <= b && a >= b
}

function deeper(depth: number): number {
  if (depth >= MAX_DEPTH) throw new LimitExceeded(`it compares values of more than ${MAX_DEPTH} levels`)
  return depth + 1
}

function equalLists(a: readonly unknown[], b: readonly unknown[], depth: number): boolean {
  if (a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) {
    charge(1)
    if (!equal(a[at], b[at], depth)) return false
  }
  return true
}

function equalMaps(a: object, b: object, depth: number): boolean {
  const keys = keysOf(a)
  if (keys.length !== keysOf(b).length) return false
  for (const key of keys) {
    const [mine, other] = [member(a, key), member(b, key)]
    if (other === undefined || !equal(mine, other, depth)) return false
  }
  return true
}

/** The keys of a map. Counts them. */
export function keysOf(map: object): readonly unknown[] {
  const keys = map instanceof Map ? [...(map.keys() as IterableIterator<unknown>)] : Object.keys(map)
  charge(keys.length)
  return keys
}

/** What a map, a list or a struct has under a key. undefined: nothing. Only own properties count, so `constructor` is no key. */
export function member(container: unknown, key: unknown): unknown {
  if (typeof container !== 'object' || container === null) return undefined
  // V8 compares a long key with every key of its length.
  if (typeof key === 'string') chargeText(key.length)
  if (Array.isArray(container)) {
    const index = indexOf(key)
    return index !== null && index >= 0 && index < container.length
      ? ((container[index] as unknown) ?? null)
      : undefined
  }
  if (container instanceof Map) return mapMember(container as Map<unknown, unknown>, key)
  if (typeof key !== 'string' || kindOf(container) !== 'map' || !Object.hasOwn(container, key)) return undefined
  return (container as Record<string, unknown>)[key]
}

function mapMember(map: Map<unknown, unknown>, key: unknown): unknown {
  if (map.has(key)) return map.get(key) ?? null
  // 1 and 1n are one key.
  if (typeof key === 'bigint') return map.get(Number(key))
  return typeof key === 'number' && Number.isInteger(key) ? map.get(BigInt(key)) : undefined
}

/** Negative, zero or positive, NaN for numbers that have no order. Throws EvaluationFailure for values of which none is the larger. */
export function compare(operator: string, a: unknown, b: unknown): number {
  const [x, y] = [numberOf(a), numberOf(b)]
  if (x !== null && y !== null) return x < y ? -1 : x > y ? 1 : equalNumbers(x, y) ? 0 : NaN
  const kind = kindOf(a)
  if (kind !== kindOf(b)) throw noOverload(operator, a, b)
  switch (kind) {
    case 'string':
      chargeText(Math.min((a as string).length, (b as string).length))
      return (a as string) < (b as string) ? -1 : a === b ? 0 : 1
    case 'bool':
      return Number(a) - Number(b)
    case 'timestamp':
      return (a as Date).getTime() - (b as Date).getTime()
    case 'duration':
      return (a as Duration).ms - (b as Duration).ms
    case 'bytes':
      chargeText((a as Uint8Array).length)
      return Buffer.compare(a as Uint8Array, b as Uint8Array)
    default:
      throw noOverload(operator, a, b)
  }
}
