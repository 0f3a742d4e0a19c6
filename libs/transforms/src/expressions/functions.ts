import { parseJson } from '@tributary/config'
import { Decimal } from '@tributary/connect-api'
import { int64 } from './arithmetic.ts'
import { charge, chargeSearch, chargeText, EvaluationFailure } from './limits.ts'
import { decimalText, Duration, indexOf, keysOf, kindOf, numberOf } from './values.ts'
import { uuidOf } from './uuid.ts'

interface Fn {
  /** How many arguments, the receiver counted. */
  readonly arity: readonly [least: number, most: number]
  /** Throws EvaluationFailure for arguments of other types. */
  readonly apply: (args: readonly unknown[]) => unknown
  readonly returns?: 'bool' | 'string' | 'other'
}

function mismatch(name: string, args: readonly unknown[]): EvaluationFailure {
  return new EvaluationFailure(`no such overload: ${name}(${args.map(kindOf).join(', ')})`)
}

function text(name: string, args: readonly unknown[], at = 0): string {
  const value = args[at]
  if (typeof value !== 'string') throw mismatch(name, args)
  return value
}

function count(name: string, args: readonly unknown[], at: number, absent: number): number {
  if (args.length <= at) return absent
  const value = indexOf(args[at])
  if (value === null) throw mismatch(name, args)
  return value
}

function size(args: readonly unknown[]): bigint {
  const [value] = args
  if (typeof value === 'string') {
    chargeText(value.length)
    // Code points: a pair of surrogates is one.
    let points = 0
    for (let at = 0; at < value.length; at++) if ((value.charCodeAt(at) & 0xfc00) !== 0xdc00 || at === 0) points++
    return BigInt(points)
  }
  if (Array.isArray(value) || value instanceof Uint8Array) return BigInt(value.length)
  if (value instanceof Map) return BigInt(value.size)
  if (kindOf(value) === 'map') return BigInt(keysOf(value as object).length)
  throw mismatch('size', args)
}

const DURATION_UNITS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1, us: 1e-3, ns: 1e-6 } as const
const DURATION = /^-?(?:\d+(?:\.\d+)?(?:h|ms|m|s|us|ns))+$/
/** RFC 3339. */
const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/

function duration(args: readonly unknown[]): Duration {
  if (args[0] instanceof Duration) return args[0]
  const source = text('duration', args)
  charge(Math.min(source.length, 100))
  if (source.length > 100 || !DURATION.test(source))
    throw new EvaluationFailure(`invalid duration: ${source.slice(0, 40)}`)
  let ms = 0
  for (const [, number, unit] of source.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s|us|ns)/g)) {
    ms += Number(number) * DURATION_UNITS[unit as keyof typeof DURATION_UNITS]
  }
  return new Duration(source.startsWith('-') ? -ms : ms)
}

function timestamp(args: readonly unknown[]): Date {
  const [value] = args
  if (value instanceof Date) return value
  // As in CEL: seconds since the epoch.
  const date = typeof value === 'bigint' ? new Date(Number(value) * 1000) : new Date(rfc3339(text('timestamp', args)))
  if (Number.isNaN(date.getTime())) throw new EvaluationFailure('invalid timestamp')
  return date
}

function rfc3339(source: string): string {
  if (!TIMESTAMP.test(source)) throw new EvaluationFailure(`invalid timestamp: ${source.slice(0, 40)}`)
  return source
}

function int(args: readonly unknown[]): bigint {
  const [value] = args
  const number = numberOf(value)
  if (typeof number === 'bigint') return number
  if (number !== null) {
    if (!Number.isFinite(number)) throw new EvaluationFailure('integer overflow')
    return int64(BigInt(Math.trunc(number)))
  }
  if (value instanceof Date) return BigInt(Math.floor(value.getTime() / 1000))
  const source = text('int', args)
  if (!/^-?\d{1,19}$/.test(source)) throw new EvaluationFailure(`invalid int: ${source.slice(0, 40)}`)
  return int64(BigInt(source))
}

function double(args: readonly unknown[]): number {
  const number = numberOf(args[0])
  if (number !== null) return Number(number)
  const source = text('double', args)
  if (source.length > 100 || !NUMBER.test(source)) throw new EvaluationFailure(`invalid double: ${source.slice(0, 40)}`)
  return Number(source)
}

function string(args: readonly unknown[]): string {
  const [value] = args
  if (typeof value === 'string') return value
  if (typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean') {
    const digits = String(value)
    chargeText(digits.length)
    return digits
  }
  if (value instanceof Decimal) return decimalText(value)
  if (value instanceof Date) return value.toISOString().replace(/\.000Z$/, 'Z')
  if (value instanceof Duration) return `${value.ms / 1000}s`
  if (!(value instanceof Uint8Array)) throw mismatch('string', args)
  chargeText(value.length)
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value)
  } catch {
    throw new EvaluationFailure('the bytes are not UTF-8')
  }
}

function bytes(args: readonly unknown[]): Uint8Array {
  if (args[0] instanceof Uint8Array) return args[0]
  const source = text('bytes', args)
  chargeText(source.length)
  return Buffer.from(source)
}

function bool(args: readonly unknown[]): boolean {
  const [value] = args
  if (typeof value === 'boolean') return value
  if (value === 'true' || value === 'false') return value === 'true'
  throw mismatch('bool', args)
}

function json(args: readonly unknown[]): unknown {
  const source = args[0] instanceof Uint8Array ? string(args) : text('json', args)
  // A value for each two characters.
  charge(source.length / 4)
  try {
    return parseJson(source)
  } catch {
    throw new EvaluationFailure('json(): the text is not JSON')
  }
}

function split(args: readonly unknown[]): string[] {
  const [source, by] = [text('split', args), text('split', args, 1)]
  chargeSearch(source.length, by.length)
  const parts = source.split(by)
  charge(parts.length)
  return parts
}

function join(args: readonly unknown[]): string {
  const list = args[0]
  if (!Array.isArray(list)) throw mismatch('join', args)
  const by = args.length > 1 ? text('join', args, 1) : ''
  for (const part of list as unknown[]) chargeText(text('join', [part]).length + by.length + 16)
  return list.join(by)
}

function replace(args: readonly unknown[]): string {
  const [source, from, to] = [text('replace', args), text('replace', args, 1), text('replace', args, 2)]
  chargeSearch(source.length, from.length)
  const parts = source.split(from)
  chargeText(source.length + parts.length * (to.length + 16))
  return parts.join(to)
}

function substring(args: readonly unknown[]): string {
  const source = text('substring', args)
  const from = count('substring', args, 1, 0)
  const to = count('substring', args, 2, source.length)
  if (from < 0 || to < from || to > source.length) {
    throw new EvaluationFailure(`index out of range: substring(${from}, ${to}) of ${source.length} characters`)
  }
  return source.slice(from, to)
}

/** Of two texts, of which one is searched for the other. */
function search(name: string, find: (source: string, wanted: string) => unknown, returns?: 'bool'): Fn {
  return {
    arity: [2, 2],
    ...(returns && { returns }),
    apply: (args) => {
      const [source, wanted] = [text(name, args), text(name, args, 1)]
      chargeSearch(source.length, wanted.length)
      return find(source, wanted)
    },
  }
}

/** Of a text, in time in proportion to its length. */
function mapped(name: string, map: (source: string) => string): Fn {
  return {
    arity: [1, 1],
    returns: 'string',
    apply: (args) => {
      const source = text(name, args)
      chargeText(source.length)
      return map(source)
    },
  }
}

/** The 26 ASCII letters from `first` on are moved to the other case, which is `by` away. */
function inCase(source: string, first: number, by: number): string {
  const bytes = Buffer.from(source, 'utf16le')
  for (let at = 0; at < bytes.length; at += 2) {
    const code = bytes[at]!
    if (code >= first && code < first + 26 && bytes[at + 1] === 0) bytes[at] = code + by
  }
  return bytes.toString('utf16le')
}

/** A part of a timestamp, in UTC, or a duration in whole units of `ms`. */
function part(name: string, get: (time: Date) => number, ms?: number): Fn {
  return {
    arity: [1, 1],
    returns: 'other',
    apply: (args) => {
      const [value] = args
      if (value instanceof Date) return BigInt(get(value))
      if (value instanceof Duration && ms !== undefined) return BigInt(Math.trunc(value.ms / ms))
      throw mismatch(name, args)
    },
  }
}

function dayOfYear(time: Date): number {
  return Math.floor((time.getTime() - Date.UTC(time.getUTCFullYear(), 0, 1)) / 86_400_000)
}

/** `f(x)`. Only what CEL's standard has, and json() and uuid(). */
export const GLOBALS: Readonly<Record<string, Fn>> = {
  size: { arity: [1, 1], apply: size, returns: 'other' },
  int: { arity: [1, 1], apply: int, returns: 'other' },
  double: { arity: [1, 1], apply: double, returns: 'other' },
  string: { arity: [1, 1], apply: string, returns: 'string' },
  bytes: { arity: [1, 1], apply: bytes, returns: 'other' },
  bool: { arity: [1, 1], apply: bool, returns: 'bool' },
  timestamp: { arity: [1, 1], apply: timestamp, returns: 'other' },
  duration: { arity: [1, 1], apply: duration, returns: 'other' },
  dyn: { arity: [1, 1], apply: ([value]) => value },
  json: { arity: [1, 1], apply: json },
  uuid: { arity: [1, 8], apply: uuidOf, returns: 'string' },
}

/** `x.f()`: CEL's standard, and of its extension for strings what is below. */
export const METHODS: Readonly<Record<string, Fn>> = {
  size: { arity: [1, 1], apply: size, returns: 'other' },
  contains: search('contains', (source, wanted) => source.includes(wanted), 'bool'),
  startsWith: search('startsWith', (source, wanted) => source.startsWith(wanted), 'bool'),
  endsWith: search('endsWith', (source, wanted) => source.endsWith(wanted), 'bool'),
  indexOf: search('indexOf', (source, wanted) => BigInt(source.indexOf(wanted))),
  lowerAscii: mapped('lowerAscii', (source) => inCase(source, 0x41, 0x20)),
  upperAscii: mapped('upperAscii', (source) => inCase(source, 0x61, -0x20)),
  trim: mapped('trim', (source) => source.trim()),
  substring: { arity: [2, 3], apply: substring, returns: 'string' },
  replace: { arity: [3, 3], apply: replace, returns: 'string' },
  split: { arity: [2, 2], apply: split, returns: 'other' },
  join: { arity: [1, 2], apply: join, returns: 'string' },
  getFullYear: part('getFullYear', (time) => time.getUTCFullYear()),
  getMonth: part('getMonth', (time) => time.getUTCMonth()),
  getDate: part('getDate', (time) => time.getUTCDate()),
  getDayOfMonth: part('getDayOfMonth', (time) => time.getUTCDate() - 1),
  getDayOfWeek: part('getDayOfWeek', (time) => time.getUTCDay()),
  getDayOfYear: part('getDayOfYear', dayOfYear),
  getHours: part('getHours', (time) => time.getUTCHours(), 3_600_000),
  getMinutes: part('getMinutes', (time) => time.getUTCMinutes(), 60_000),
  getSeconds: part('getSeconds', (time) => time.getUTCSeconds(), 1000),
  getMilliseconds: part('getMilliseconds', (time) => time.getUTCMilliseconds(), 1),
}
