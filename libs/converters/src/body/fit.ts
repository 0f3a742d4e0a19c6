import { Decimal, LOGICAL, type Schema } from '@tributary/connect-api'
import { legalFields } from './legal-names.ts'
import { isRaw } from './parse.ts'

/** A value that does not fit its schema. `path` is completed on the way out. */
export class Misfit extends Error {
  readonly path: (string | number)[] = []
}

export interface FitOptions {
  /** Fields that the schema does not have are left out. False: they are misfits. */
  readonly dropUnknown: boolean
  /** The fields of structs have legal names. */
  readonly legalNames?: boolean
}

/**
 * The value of a schema that JSON stands for. Bytes are Base64. A Decimal is a number or its digits as text; Date, Time and Timestamp
 * are the numbers that Connect has for them, or text of ISO 8601. Nothing is rounded or turned into another type. Throws Misfit.
 */
export function fit(schema: Schema, value: unknown, options: FitOptions): unknown {
  if (value === null || value === undefined) {
    if (schema.default !== undefined && schema.default !== null) return schema.default
    if (schema.optional === true) return null
    throw new Misfit('there is no value, and the schema requires one')
  }
  switch (schema.name) {
    case LOGICAL.Decimal:
      return decimal(value, Number(schema.parameters?.['scale']))
    case LOGICAL.Date:
      return typeof value === 'string' ? date(value) : new Date(whole(value, 0x7fffffff) * DAY_MS)
    case LOGICAL.Time:
      return typeof value === 'string' ? time(value) : timeOfDay(whole(value, 0x7fffffff))
    case LOGICAL.Timestamp:
      return timestamp(value)
    default:
      return fitType(schema, isRaw(value) ? plain(value.rawJSON) : value, options)
  }
}

function fitType(schema: Schema, value: unknown, options: FitOptions): unknown {
  switch (schema.type) {
    case 'int8':
      return whole(value, 0x7f)
    case 'int16':
      return whole(value, 0x7fff)
    case 'int32':
      return whole(value, 0x7fffffff)
    case 'int64':
      return int64(value)
    case 'float32':
      return float32(value)
    case 'float64':
      return float(value)
    case 'boolean':
      return typeof value === 'boolean' ? value : wrong(value, 'a boolean')
    case 'string':
      return typeof value === 'string' ? value : wrong(value, 'a string')
    case 'bytes':
      return bytes(value)
    case 'array':
      return array(schema, value, options)
    case 'map':
      return map(schema, value, options)
    case 'struct':
      return struct(schema, value, options)
  }
}

function struct(schema: Schema, object: unknown, options: FitOptions): object {
  if (!isObject(object)) return wrong(object, 'an object')
  const value = options.legalNames === true ? legalFields(object) : object
  const out: Record<string, unknown> = {}
  const fields = schema.fields ?? []
  let found = 0
  for (const { name, schema: of } of fields) {
    const has = Object.hasOwn(value, name)
    if (has) found++
    set(
      out,
      name,
      at(name, () => fit(of, has ? value[name] : null, options)),
    )
  }
  if (found < Object.keys(value).length && !options.dropUnknown) {
    const known = new Set(fields.map(({ name }) => name))
    const unknown = Object.keys(value).filter((name) => !known.has(name))
    throw new Misfit(
      `the schema has no field ${unknown
        .slice(0, 5)
        .map((name) => JSON.stringify(name))
        .join(', ')}`,
    )
  }
  return out
}

/** `__proto__` is a name like any other. */
function set(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name !== '__proto__') object[name] = value
  else Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}

function array(schema: Schema, value: unknown, options: FitOptions): unknown[] {
  if (!Array.isArray(value)) return wrong(value, 'an array')
  return value.map((item: unknown, index) => at(index, () => fit(schema.valueSchema!, item, options)))
}

/** A map with keys other than strings is an array of pairs, as Connect's JsonConverter writes it. */
function map(schema: Schema, value: unknown, options: FitOptions): Map<unknown, unknown> {
  const { keySchema, valueSchema } = schema
  const out = new Map<unknown, unknown>()
  if (isObject(value) && keySchema!.type === 'string') {
    for (const key of Object.keys(value))
      out.set(
        key,
        at(key, () => fit(valueSchema!, value[key], options)),
      )
    return out
  }
  if (!Array.isArray(value)) return wrong(value, keySchema!.type === 'string' ? 'an object' : 'an array of pairs')
  for (const [index, pair] of (value as unknown[]).entries()) {
    at(index, () => {
      if (!Array.isArray(pair) || pair.length !== 2) return wrong(pair, 'a pair of key and value')
      return out.set(fit(keySchema!, pair[0], options), fit(valueSchema!, pair[1], options))
    })
  }
  return out
}

function at<T>(step: string | number, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof Misfit) error.path.unshift(step)
    throw error
  }
}

function whole(value: unknown, max: number): number {
  const number = isRaw(value) ? plain(value.rawJSON) : value
  if (typeof number !== 'number' || !Number.isInteger(number)) return wrong(value, 'a whole number')
  if (number > max || number < -max - 1) throw new Misfit(`${number} is beyond the range of its type`)
  return number
}

const MAX_INT64 = 2n ** 63n - 1n

function int64(value: unknown): bigint {
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) {
    const integer = BigInt(value as number | bigint)
    if (integer <= MAX_INT64 && integer >= -MAX_INT64 - 1n) return integer
    throw new Misfit(`${integer} is beyond int64`)
  }
  return wrong(value, 'a whole number')
}

const NOT_FINITE = new Map([
  ['NaN', NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
])

function float(value: unknown): number {
  if (typeof value === 'number') return value
  if (typeof value === 'bigint') {
    if (BigInt(Number(value)) === value) return Number(value)
    throw new Misfit(`a double cannot hold all digits of ${value}`)
  }
  return NOT_FINITE.get(value as string) ?? wrong(value, 'a number')
}

function float32(value: unknown): number {
  const number = float(value)
  if (Number.isFinite(number) && !Number.isFinite(Math.fround(number))) throw new Misfit(`${number} is beyond float32`)
  return number
}

function bytes(value: unknown): Buffer {
  if (typeof value !== 'string') return wrong(value, 'Base64')
  const decoded = Buffer.from(value, 'base64')
  // Buffer.from skips what is no Base64.
  if (decoded.toString('base64').replaceAll('=', '') === value.replace(/=+$/, '')) return decoded
  return wrong(value, 'Base64')
}

const DIGITS = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/

function decimal(value: unknown, scale: number): Decimal {
  const text = isRaw(value)
    ? value.rawJSON
    : typeof value === 'string' || typeof value === 'number'
      ? String(value)
      : ''
  const [, sign, integer, fraction = '', exponent = '0'] = DIGITS.exec(text) ?? wrong(value, 'a decimal number')
  // Digits behind the point, once the number is written with the scale of the schema.
  const missing = scale - fraction.length + Number(exponent)
  const digits = `${integer}${fraction}`
  if (missing < 0 && /[^0]/.test(digits.slice(missing)))
    throw new Misfit(`${text} has more than ${scale} decimal places`)
  const unscaled = BigInt(missing < 0 ? digits.slice(0, missing) || '0' : digits + '0'.repeat(missing))
  return new Decimal(sign === '-' ? -unscaled : unscaled, scale)
}

const DAY_MS = 86_400_000
const DATE = /^\d{4}-\d{2}-\d{2}$/
const TIME = /^\d{2}:\d{2}:\d{2}(?:\.\d{1,3})?$/
const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})$/

const date = (text: string): Date => parsed(text, DATE.test(text) ? text : '', 'a date')
const time = (text: string): Date => parsed(text, TIME.test(text) ? `1970-01-01T${text}Z` : '', 'a time of day')

function timeOfDay(ms: number): Date {
  if (ms >= 0 && ms < DAY_MS) return new Date(ms)
  throw new Misfit(`${ms} is no time of a day in ms`)
}

function timestamp(value: unknown): Date {
  if (typeof value === 'string') return parsed(value, TIMESTAMP.test(value) ? value : '', 'a timestamp')
  const made = new Date(Number(int64(isRaw(value) ? plain(value.rawJSON) : value)))
  return Number.isNaN(made.getTime()) ? wrong(value, 'a timestamp') : made
}

/** Date.parse takes February 30 for March 1, and 24:00 for the next day. */
function parsed(text: string, iso: string, what: string): Date {
  const made = new Date(iso)
  const [, day, hour] = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}))?/.exec(iso) ?? []
  if (day === undefined || hour === '24' || Number.isNaN(made.getTime()) || !isDay(day)) {
    return wrong(text, `${what} of ISO 8601`)
  }
  return made
}

function isDay(day: string): boolean {
  const made = new Date(day)
  return !Number.isNaN(made.getTime()) && made.toISOString().startsWith(day)
}

function plain(digits: string): number | bigint {
  const number = Number(digits)
  return Number.isSafeInteger(number) || !/^-?\d+$/.test(digits) ? number : BigInt(digits)
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isRaw(value)
}

function wrong(value: unknown, wanted: string): never {
  throw new Misfit(`${shown(value)} is not ${wanted}`)
}

function shown(value: unknown): string {
  if (isRaw(value)) return value.rawJSON.slice(0, 40)
  if (typeof value === 'object') return value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object'
  return `${value as string | number | bigint | boolean}`.slice(0, 40)
}
