import { charge, chargeText, EvaluationFailure } from './limits.ts'
import { Duration, noOverload, numberOf } from './values.ts'

type Operator = '+' | '-' | '*' | '/' | '%'

/** `a + b` and the like. Throws EvaluationFailure. */
export function arithmetic(operator: Operator, a: unknown, b: unknown): unknown {
  // The common case first.
  if (typeof a === 'number' && typeof b === 'number') return doubles(operator, a, b)
  const [x, y] = [numberOf(a), numberOf(b)]
  if (x !== null && y !== null) return numbers(operator, x, y)
  const other = operator === '+' ? sum(a, b) : operator === '-' ? difference(a, b) : undefined
  if (other === undefined) throw noOverload(operator, a, b)
  return other
}

function numbers(operator: Operator, x: number | bigint, y: number | bigint): number | bigint {
  if (typeof x === 'bigint' && typeof y === 'bigint') return ints(operator, x, y)
  // An id of more than 53 bits stays exact when a whole number is added. Any other mixture is a double, as Java has it.
  const exact = operator !== '/' && operator !== '%' && (beyondDouble(x) || beyondDouble(y))
  if (exact && whole(x) && whole(y)) return ints(operator, BigInt(x), BigInt(y))
  return doubles(operator, Number(x), Number(y))
}

function beyondDouble(value: number | bigint): boolean {
  return typeof value === 'bigint' && !Number.isSafeInteger(Number(value))
}

function whole(value: number | bigint): boolean {
  return typeof value === 'bigint' || Number.isSafeInteger(value)
}

function doubles(operator: Operator, x: number, y: number): number {
  switch (operator) {
    case '+':
      return x + y
    case '-':
      return x - y
    case '*':
      return x * y
    case '/':
      return x / y
    case '%':
      // CEL has no remainder of doubles. A whole number of a record is a double only because JSON has one kind of number.
      if (!Number.isInteger(x) || !Number.isInteger(y)) throw new EvaluationFailure('no such overload: double % double')
      if (y === 0) throw new EvaluationFailure('modulus by zero')
      return x % y
  }
}

function ints(operator: Operator, x: bigint, y: bigint): bigint {
  if (y === 0n && (operator === '/' || operator === '%')) {
    throw new EvaluationFailure(operator === '/' ? 'divide by zero' : 'modulus by zero')
  }
  switch (operator) {
    case '+':
      return int64(x + y)
    case '-':
      return int64(x - y)
    case '*':
      return int64(x * y)
    case '/':
      return int64(x / y)
    case '%':
      return x % y
  }
}

/** Throws EvaluationFailure for what has more than 64 bits. */
export function int64(value: bigint): bigint {
  if (BigInt.asIntN(64, value) !== value) throw new EvaluationFailure('integer overflow')
  return value
}

function sum(a: unknown, b: unknown): unknown {
  if (typeof a === 'string' && typeof b === 'string') {
    chargeText(a.length + b.length)
    return a + b
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    charge(a.length + b.length)
    return [...(a as unknown[]), ...(b as unknown[])]
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    chargeText(a.length + b.length)
    return Buffer.concat([a, b])
  }
  if (a instanceof Date && b instanceof Duration) return moved(a, b.ms)
  if (a instanceof Duration && b instanceof Date) return moved(b, a.ms)
  return a instanceof Duration && b instanceof Duration ? new Duration(a.ms + b.ms) : undefined
}

function difference(a: unknown, b: unknown): unknown {
  if (a instanceof Date && b instanceof Date) return new Duration(a.getTime() - b.getTime())
  if (a instanceof Date && b instanceof Duration) return moved(a, -b.ms)
  return a instanceof Duration && b instanceof Duration ? new Duration(a.ms - b.ms) : undefined
}

function moved(time: Date, ms: number): Date {
  const date = new Date(time.getTime() + ms)
  if (Number.isNaN(date.getTime())) throw new EvaluationFailure('timestamp overflow')
  return date
}
