import { javaTrim } from '@tributary/config'
import type { SchemaAndValue } from '../converter.ts'
import type { Decimal } from '../decimal.ts'
import { floatOf, parseDecimal } from '../java-text.ts'
import { LOGICAL, type Schema } from '../schema.ts'
import { align, SchemaMerger, Unparsable } from './schema-merger.ts'
import { parseTemporal } from './temporal.ts'
import { Tokens } from './tokens.ts'

/** As deep as JSON may be nested. */
const MAX_DEPTH = 1000

/** Text is nested deeper than 1000 levels. For a header's bytes, Connect then takes the bytes as they are. */
export class TooDeep extends Error {}

/**
 * Values.parseString: null, booleans, numbers, lists, maps, dates and times by their text, and text that is none of them. Throws
 * TooDeep.
 */
export function parseValue(text: string): SchemaAndValue {
  if (text === '') return { schema: STRING, value: text }
  return new ValueParser(text).parse(false) ?? { schema: null, value: null }
}

const STRING: Schema = { type: 'string' }
const BOOLEAN: Schema = { type: 'boolean' }
const INTEGERS: readonly (readonly [Schema, bigint])[] = [
  [{ type: 'int8' }, 2n ** 7n],
  [{ type: 'int16' }, 2n ** 15n],
  [{ type: 'int32' }, 2n ** 31n],
]
const INT64: Schema = { type: 'int64' }
const FLOAT32: Schema = { type: 'float32' }
const FLOAT64: Schema = { type: 'float64' }

class ValueParser {
  readonly #tokens: Tokens
  #depth = 0

  constructor(text: string) {
    this.#tokens = new Tokens(text)
  }

  /** Null for the text `null`. */
  parse(embedded: boolean): SchemaAndValue | null {
    const tokens = this.#tokens
    if (!tokens.hasNext()) return null
    if (embedded && tokens.canConsume('"')) return this.#quoted()
    if (this.#isLiteral(embedded, 'null')) return null
    if (this.#isLiteral(embedded, 'true')) return { schema: BOOLEAN, value: true }
    if (this.#isLiteral(embedded, 'false')) return { schema: BOOLEAN, value: false }
    const start = tokens.mark()
    try {
      if (tokens.canConsume('[')) return this.#nested(() => this.#array())
      if (tokens.canConsume('{')) return this.#nested(() => this.#map())
    } catch (error) {
      if (!(error instanceof Unparsable)) throw error
      tokens.rewindTo(start)
    }
    const token = tokens.next()
    const trimmed = javaTrim(token)
    return trimmed === '' ? { schema: STRING, value: token } : this.#token(embedded, trimmed)
  }

  #isLiteral(embedded: boolean, literal: string): boolean {
    const start = this.#tokens.mark()
    // Only an embedded literal may be followed by something.
    if (this.#tokens.canConsume(literal) && (embedded || !this.#tokens.hasNext())) return true
    this.#tokens.rewindTo(start)
    return false
  }

  #nested(parse: () => SchemaAndValue): SchemaAndValue {
    if (++this.#depth > MAX_DEPTH) throw new TooDeep('nested too deep')
    const result = parse()
    this.#depth--
    return result
  }

  #token(embedded: boolean, token: string): SchemaAndValue {
    const isDigit = /^\p{Nd}/u.test(token)
    const temporal = isDigit ? this.#temporal(token) : null
    if (temporal !== null) return temporal
    const number = isDigit || token.startsWith('+') || token.startsWith('-') ? parseNumber(token) : null
    if (number !== null) return number
    if (embedded) throw new Unparsable('Failed to parse embedded value')
    return { schema: STRING, value: this.#tokens.original }
  }

  /** A time has colons, which are tokens of their own. */
  #temporal(token: string): SchemaAndValue | null {
    const position = this.#tokens.mark()
    const rest = this.#tokens.nextOf(4)
    const temporal = rest === null ? null : parseTemporal(token + rest)
    if (temporal !== null) return temporal
    this.#tokens.rewindTo(position)
    return parseTemporal(token)
  }

  #quoted(): SchemaAndValue {
    let content = ''
    while (this.#tokens.hasNext() && !this.#tokens.canConsume('"')) content += this.#tokens.next()
    return parseTemporal(content) ?? { schema: STRING, value: content }
  }

  #array(): SchemaAndValue {
    const tokens = this.#tokens
    const elements: unknown[] = []
    const merger = new SchemaMerger()
    while (tokens.hasNext()) {
      if (tokens.canConsume(']')) {
        const { common } = merger
        if (common === null) return { schema: { type: 'array' }, value: elements }
        return { schema: { type: 'array', valueSchema: common }, value: elements.map((each) => align(common, each)) }
      }
      if (tokens.canConsume(',')) throw new Unparsable(`Unable to parse an empty array element: ${tokens.original}`)
      const element = this.parse(true)
      merger.merge(element)
      elements.push(element?.value ?? null)
      const position = tokens.mark()
      if (tokens.canConsume(']')) tokens.rewindTo(position)
      else if (!tokens.canConsume(',')) throw new Unparsable("Array elements missing ',' delimiter")
    }
    throw new Unparsable(`Array is missing terminating ']': ${tokens.original}`)
  }

  #map(): SchemaAndValue {
    const tokens = this.#tokens
    const entries = new Map<unknown, unknown>()
    const [keys, values] = [new SchemaMerger(), new SchemaMerger()]
    while (tokens.hasNext()) {
      if (tokens.canConsume('}')) return mapOf(entries, keys.common, values.common)
      if (tokens.canConsume(',')) throw new Unparsable(`Unable to parse a map entry with no key or value`)
      const key = this.parse(true)
      if (key === null || key.value === null) throw new Unparsable('Map entry may not have a null key')
      if (!tokens.canConsume(':')) throw new Unparsable("Map entry is missing ':'")
      const value = this.parse(true)
      entries.set(key.value, value?.value ?? null)
      tokens.canConsume(',')
      keys.merge(key)
      values.merge(value)
    }
    throw new Unparsable(`Map is missing terminating '}': ${tokens.original}`)
  }
}

function mapOf(entries: Map<unknown, unknown>, keys: Schema | null, values: Schema | null): SchemaAndValue {
  if (keys === null) return { schema: { type: 'map' }, value: entries }
  const aligned = [...entries].map(([key, value]): [unknown, unknown] => {
    return [align(keys, key), values === null ? value : align(values, value)]
  })
  const schema: Schema = { type: 'map', keySchema: keys, ...(values !== null && { valueSchema: values }) }
  return { schema, value: new Map(aligned) }
}

/** The smallest integer type that holds a whole number; else float32, float64, and Decimal for what both cannot hold. */
function parseNumber(token: string): SchemaAndValue | null {
  const decimal = parseDecimal(token)
  if (decimal === null) return null
  const whole = wholeNumber(decimal)
  if (whole !== null) {
    const type = INTEGERS.find(([, limit]) => whole >= -limit && whole < limit)
    return type ? { schema: type[0], value: Number(whole) } : { schema: INT64, value: whole }
  }
  const [float, number] = [floatOf(decimal), Number(token)]
  if (decimal.scale !== 0 && Number.isFinite(float)) return { schema: FLOAT32, value: float }
  if (decimal.scale !== 0 && Number.isFinite(number)) return { schema: FLOAT64, value: number }
  const parameters = { scale: String(decimal.scale) }
  return { schema: { type: 'bytes', name: LOGICAL.Decimal, version: 1, parameters }, value: decimal }
}

/** Null: the number has a fraction, or Java's Long cannot hold it. */
function wholeNumber({ unscaled, scale }: Decimal): bigint | null {
  if (unscaled === 0n) return 0n
  const digits = String(unscaled)
  if (digits.length - scale > 21 || digits.length - scale < 1) return null
  if (scale > 0 && !/^0+$/.test(digits.slice(-scale))) return null
  const whole = scale > 0 ? BigInt(digits.slice(0, -scale)) : unscaled * 10n ** BigInt(-scale)
  return BigInt.asIntN(64, whole) === whole ? whole : null
}
