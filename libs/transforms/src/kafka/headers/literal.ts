import {
  DataError,
  type Decimal,
  LOGICAL,
  parseDecimal,
  type Schema,
  type SchemaAndValue,
} from '@tributary/connect-api'
import { transformErrors } from '../../errors.ts'
import { type DateFormat, dateFormat } from '../dates/date-format.ts'
import { decimalToDouble, decimalToLong } from '../support/numbers.ts'
import { alignedTo, SchemaMerger } from './literal-schemas.ts'
import { isBlank, javaTrim, LiteralTokens } from './literal-tokens.ts'

/** A value with its schema; null stands for null without schema. */
export type Literal = { readonly schema: Schema; readonly value: unknown } | null

const STRING: Schema = { type: 'string' }
const BOOLEAN: Schema = { type: 'boolean' }
/** Nested as deep as no header is, and shallow enough for the stack. */
const MAX_DEPTH = 200

/**
 * The value that a text stands for, with the schema that it suggests, as org.apache.kafka.connect.data.Values.parseString: numbers,
 * booleans, null, dates, times, arrays and maps of these, and text for everything else.
 */
export function parseLiteral(text: string): SchemaAndValue {
  if (text === '') return { schema: STRING, value: text }
  return new Parser(text).parse(0) ?? { schema: null, value: null }
}

class Parser {
  readonly #tokens: LiteralTokens

  constructor(text: string) {
    this.#tokens = new LiteralTokens(text)
  }

  /** `depth`: 0: the whole text; else within an array or a map, where what is no value is an error. */
  parse(depth: number): Literal {
    const tokens = this.#tokens
    if (!tokens.hasNext) return null
    if (depth > 0 && tokens.takes('"')) return this.#quoted()
    if (this.#isWord('null', depth)) return null
    if (this.#isWord('true', depth)) return { schema: BOOLEAN, value: true }
    if (this.#isWord('false', depth)) return { schema: BOOLEAN, value: false }
    const start = tokens.mark()
    try {
      if (depth < MAX_DEPTH && tokens.takes('[')) return this.#array(depth + 1)
      if (depth < MAX_DEPTH && tokens.takes('{')) return this.#map(depth + 1)
    } catch (error) {
      if (!(error instanceof DataError)) throw error
      tokens.rewind(start)
    }
    const token = tokens.next()
    return isBlank(token) ? { schema: STRING, value: token } : this.#scalar(javaTrim(token), depth)
  }

  #isWord(word: string, depth: number): boolean {
    const start = this.#tokens.mark()
    if (this.#tokens.takes(word) && (depth > 0 || !this.#tokens.hasNext)) return true
    this.#tokens.rewind(start)
    return false
  }

  #scalar(token: string, depth: number): Literal {
    const digit = /^\d/.test(token)
    const found = (digit ? this.#temporal(token) : null) ?? (digit || /^[+-]/.test(token) ? numberOf(token) : null)
    if (found !== null) return found
    if (depth > 0) throw invalid('Failed to parse embedded value')
    return { schema: STRING, value: this.#tokens.original }
  }

  /** Colons part the tokens of a time. */
  #temporal(token: string): Literal {
    const start = this.#tokens.mark()
    const rest = this.#tokens.take(4)
    const found = rest === null ? null : temporalOf(token + rest)
    if (found !== null) return found
    this.#tokens.rewind(start)
    return temporalOf(token)
  }

  #quoted(): Literal {
    let text = ''
    while (this.#tokens.hasNext && !this.#tokens.takes('"')) text += this.#tokens.next()
    return temporalOf(text) ?? { schema: STRING, value: text }
  }

  #array(depth: number): Literal {
    const tokens = this.#tokens
    const values: unknown[] = []
    const elements = new SchemaMerger()
    while (tokens.hasNext) {
      if (tokens.takes(']')) {
        const valueSchema = elements.common
        if (valueSchema === null) return { schema: { type: 'array' }, value: values }
        return { schema: { type: 'array', valueSchema }, value: values.map((value) => alignedTo(valueSchema, value)) }
      }
      if (tokens.takes(',')) throw invalid(`Unable to parse an empty array element: ${tokens.original}`)
      const element = this.parse(depth)
      elements.add(element?.schema ?? null)
      values.push(element?.value ?? null)
      const mark = tokens.mark()
      if (tokens.takes(']')) tokens.rewind(mark)
      else if (!tokens.takes(',')) throw invalid("Array elements missing ',' delimiter")
    }
    throw invalid(`Array is missing terminating ']': ${tokens.original}`)
  }

  #map(depth: number): Literal {
    const tokens = this.#tokens
    const entries = new Map<unknown, unknown>()
    const [keys, values] = [new SchemaMerger(), new SchemaMerger()]
    while (tokens.hasNext) {
      if (tokens.takes('}')) return mapOf(entries, keys.common, values.common)
      if (tokens.takes(',')) throw invalid(`Unable to parse a map entry with no key or value: ${tokens.original}`)
      const key = this.parse(depth)
      if (key === null) throw invalid(`Map entry may not have a null key: ${tokens.original}`)
      if (!tokens.takes(':')) throw invalid(`Map entry is missing ':' in ${tokens.original}`)
      const value = this.parse(depth)
      entries.set(key.value, value?.value ?? null)
      tokens.takes(',')
      keys.add(key.schema)
      values.add(value?.schema ?? null)
    }
    throw invalid(`Map is missing terminating '}': ${tokens.original}`)
  }
}

function mapOf(entries: Map<unknown, unknown>, keySchema: Schema | null, valueSchema: Schema | null): Literal {
  if (keySchema === null) return { schema: { type: 'map' }, value: entries }
  const aligned = new Map<unknown, unknown>()
  for (const [key, value] of entries) {
    aligned.set(alignedTo(keySchema, key), valueSchema === null ? value : alignedTo(valueSchema, value))
  }
  const schema: Schema = { type: 'map', keySchema, ...(valueSchema !== null && { valueSchema }) }
  return { schema, value: aligned }
}

/** By the length of the text, which is that of its ISO 8601 form. */
const TEMPORAL = new Map<number, { readonly schema: Schema; readonly format: DateFormat }>([
  [10, { schema: { type: 'int32', name: LOGICAL.Date, version: 1 }, format: dateFormat('yyyy-MM-dd') }],
  [13, { schema: { type: 'int32', name: LOGICAL.Time, version: 1 }, format: dateFormat("HH:mm:ss.SSS'Z'") }],
  [
    24,
    {
      schema: { type: 'int64', name: LOGICAL.Timestamp, version: 1 },
      format: dateFormat("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"),
    },
  ],
])

function temporalOf(escaped: string): Literal {
  const text = escaped.replaceAll('\\:', ':')
  const temporal = TEMPORAL.get(text.length)
  const ms = temporal?.format.parse(text) ?? null
  return ms === null ? null : { schema: temporal!.schema, value: new Date(ms) }
}

const LONG_LIMIT = 2n ** 63n

/** The smallest type that holds a number. null: the text is no number. */
function numberOf(token: string): Literal {
  const decimal = parseDecimal(token)
  if (decimal === null || !Number.isSafeInteger(decimal.scale)) return null
  const whole = wholeOf(decimal)
  if (whole !== null) {
    if (BigInt.asIntN(8, whole) === whole) return { schema: { type: 'int8' }, value: Number(whole) }
    if (BigInt.asIntN(16, whole) === whole) return { schema: { type: 'int16' }, value: Number(whole) }
    if (BigInt.asIntN(32, whole) === whole) return { schema: { type: 'int32' }, value: Number(whole) }
    return { schema: { type: 'int64' }, value: whole }
  }
  const double = decimalToDouble(decimal)
  const float = Math.fround(double)
  if (decimal.scale !== 0 && Number.isFinite(float)) return { schema: { type: 'float32' }, value: float }
  if (decimal.scale !== 0 && Number.isFinite(double)) return { schema: { type: 'float64' }, value: double }
  const parameters = { scale: String(decimal.scale) }
  return { schema: { type: 'bytes', name: LOGICAL.Decimal, version: 1, parameters }, value: decimal }
}

/** A whole number within int64; null for any other. */
function wholeOf(decimal: Decimal): bigint | null {
  const { unscaled, scale } = decimal
  if (unscaled === 0n) return 0n
  const digits = String(unscaled < 0n ? -unscaled : unscaled)
  const length = digits.length - scale
  if (length > 19 || length < 1) return null
  if (scale > 0 && !digits.endsWith('0'.repeat(scale))) return null
  const whole = scale > 0 ? unscaled / 10n ** BigInt(scale) : unscaled * 10n ** BigInt(-scale)
  return whole >= -LONG_LIMIT && whole < LONG_LIMIT ? decimalToLong(decimal) : null
}

function invalid(message: string): Error {
  return transformErrors.TRANSFORM_DATA(message)
}
