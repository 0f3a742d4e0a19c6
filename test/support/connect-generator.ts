import { type ConnectRecord, Decimal, type Field, type Header, LOGICAL, type Schema } from '@tributary/connect-api'
import type { Random } from './random.ts'

const PRIMITIVES = [
  'int8',
  'int16',
  'int32',
  'int64',
  'float32',
  'float64',
  'boolean',
  'string',
  'bytes',
] as const satisfies readonly Schema['type'][]
const LOGICAL_NAMES = Object.values(LOGICAL)
const NAMES = [
  'id',
  'name',
  'a.b',
  'ünï',
  'constructor',
  '__proto__',
  'with space',
  'Amount',
  'ts',
  'x',
  'toString',
  'y"z',
]
const TEXTS = [
  '',
  ' ',
  'text',
  'null',
  'true',
  '1.0',
  '-12',
  '1e5',
  '2024-02-29',
  '23:59:59.999Z',
  '2024-02-29T23:59:59.999Z',
  '[1, 2]',
  '{"a":1}',
  '"quoted"',
  'back\\slash',
  'tab\tnew\nline',
  '\u0000\u001f\u007f',
  'ünï ✓ 😀',
  '\u2028\u2029',
  '</script>',
  'a,b:c',
  '+1',
]
const DOUBLES = [
  0,
  -0,
  1,
  -1,
  0.1,
  1.5,
  1e7,
  1e10,
  123456.789,
  1e-3,
  1e-4,
  1e21,
  5e-324,
  1.7976931348623157e308,
  NaN,
  Infinity,
]
const DAY = 86_400_000

export interface GeneratorOptions {
  /** How deep schemas and values are nested. Default: 3. */
  readonly depth?: number
}

/** Seeded schemas and values of every type of Connect: nulls, defaults, optional, nested, logical types, versions, parameters. */
export class ConnectGenerator {
  readonly #random: Random
  readonly #depth: number

  constructor(random: Random, { depth = 3 }: GeneratorOptions = {}) {
    this.#random = random
    this.#depth = depth
  }

  /** A record with key, value and headers, each with a schema or without one. */
  record(): ConnectRecord {
    const [key, value] = [this.data(1), this.data()]
    return {
      topic: this.#random.pick(['orders', 'a.b-c', 'T']),
      ...(this.#random.chance(0.5) && { partition: this.#random.int(8) }),
      key: key.value,
      keySchema: key.schema,
      value: value.value,
      valueSchema: value.schema,
      headers: Array.from({ length: this.#random.int(4) }, (): Header => {
        return { name: this.#random.pick(['h1', 'h2', 'ünï', 'h1']), ...this.header() }
      }),
      timestamp: this.#random.chance(0.2) ? null : this.#random.int(2 ** 31) * 1000 + this.#random.int(1000),
    }
  }

  /** As `data`, but null has no schema or an optional one: else Connect refuses a header. */
  header(depth = 1): { schema: Schema | null; value: unknown } {
    const { schema, value } = this.data(depth)
    return { schema: value === null && schema?.optional !== true ? null : schema, value }
  }

  /** A value with a schema, in one of five cases without one. */
  data(depth = this.#depth): { schema: Schema | null; value: unknown } {
    if (this.#random.chance(0.2)) return { schema: null, value: this.schemaless(depth) }
    const schema = this.schema(depth)
    return { schema, value: this.value(schema) }
  }

  schema(depth = this.#depth): Schema {
    const random = this.#random
    const nested = depth > 0 && random.chance(0.55)
    const base = nested ? this.#nested(depth - 1) : random.chance(0.3) ? this.#logical() : this.#primitive()
    const schema: Schema = { ...base, ...(random.chance(0.4) && { optional: true }) }
    const canDefault = schema.type !== 'struct' && schema.type !== 'map'
    return random.chance(0.25) && canDefault ? { ...schema, default: this.#filled(schema) } : schema
  }

  /** A struct schema, for transformations that want one. */
  struct(depth = this.#depth): Schema {
    const optional = this.#random.chance(0.3)
    return { ...this.#struct(Math.max(0, depth - 1)), ...(optional && { optional: true }) }
  }

  /** A value that fits: null where the schema allows it or has a default. */
  value(schema: Schema): unknown {
    const nullable = schema.optional === true || (schema.default ?? null) !== null
    return nullable && this.#random.chance(0.3) ? null : this.#filled(schema)
  }

  /** A value that most likely does not fit, in some place of it. */
  misfit(schema: Schema): unknown {
    const random = this.#random
    const other = (): unknown => random.pick([null, this.value(this.#primitive()), this.schemaless(1)])
    if (schema.type === 'struct' && schema.fields!.length > 0 && random.chance(0.7)) {
      const struct = this.#filled(schema) as Record<string, unknown>
      const field = random.pick(schema.fields!)
      return Object.fromEntries([...Object.entries(struct), [field.name, this.misfit(field.schema)]])
    }
    if (schema.type === 'array' && random.chance(0.5))
      return [this.value(schema.valueSchema!), this.misfit(schema.valueSchema!)]
    return other()
  }

  /** What JSON gives, and in one of ten cases what it does not: bytes, a Decimal, a Date, a map with other keys than text. */
  schemaless(depth = this.#depth): unknown {
    const random = this.#random
    if (random.chance(0.1)) return this.#beyondJson(depth)
    switch (random.int(depth > 0 ? 8 : 6)) {
      case 0:
        return null
      case 1:
        return random.chance(0.5)
      case 2:
        return this.#text()
      case 3:
        return random.pick([0, 1, -1, 127, 2 ** 31, Number.MAX_SAFE_INTEGER, random.int(1e9)])
      case 4:
        return random.chance(0.3)
          ? 2n ** 63n - 1n - BigInt(random.int(1000))
          : random.next() * 10 ** (random.int(40) - 20)
      case 5:
        return random.pick([0.5, -0.25, 1e300, 1.25e-7, 100.125])
      case 6:
        return Array.from({ length: random.int(4) }, () => this.schemaless(depth - 1))
      default:
        return Object.fromEntries(this.#names(random.int(5)).map((name) => [name, this.schemaless(depth - 1)]))
    }
  }

  #beyondJson(depth: number): unknown {
    const random = this.#random
    const kind = random.int(depth > 0 ? 4 : 3)
    if (kind === 0) return this.#bytes()
    if (kind === 1) return new Decimal(this.#bigint(), random.int(6))
    if (kind === 2) return this.#date(random.pick(LOGICAL_NAMES.slice(1)))
    return new Map([
      [random.int(9), this.schemaless(depth - 1)],
      [10 + random.int(9), 'x'],
    ])
  }

  #primitive(): Schema {
    const random = this.#random
    return {
      type: random.pick(PRIMITIVES),
      ...(random.chance(0.1) && { name: random.pick(['com.example.Id', 'n']) }),
      ...(random.chance(0.1) && { version: random.int(5) + 1 }),
      ...(random.chance(0.1) && { doc: this.#text() }),
      ...(random.chance(0.1) && { parameters: { p: this.#text(), 'q.r': 'x' } }),
    }
  }

  #logical(): Schema {
    const name = this.#random.pick(LOGICAL_NAMES)
    const rest = { name, version: 1 }
    if (name === LOGICAL.Decimal) return { type: 'bytes', ...rest, parameters: { scale: String(this.#random.int(8)) } }
    return { type: name === LOGICAL.Timestamp ? 'int64' : 'int32', ...rest }
  }

  #nested(depth: number): Schema {
    const kind = this.#random.int(4)
    if (kind === 0) return { type: 'array', valueSchema: this.schema(depth) }
    if (kind > 1) return this.#struct(depth)
    const text = this.#random.chance(0.6)
    const keySchema: Schema = { type: text ? 'string' : this.#random.pick(['int8', 'int32', 'int64', 'boolean']) }
    return { type: 'map', keySchema, valueSchema: this.schema(depth) }
  }

  #struct(depth: number): Schema {
    const random = this.#random
    return {
      type: 'struct',
      ...(random.chance(0.5) && { name: random.pick(['com.example.Order', 'Value', 'x.y.z']) }),
      ...(random.chance(0.3) && { version: random.int(5) + 1 }),
      ...(random.chance(0.1) && { doc: this.#text() }),
      ...(random.chance(0.1) && { parameters: { p: 'q' } }),
      fields: this.#names(random.int(6)).map((name): Field => ({ name, schema: this.schema(depth) })),
    }
  }

  #names(count: number): string[] {
    return [...new Set(Array.from({ length: count }, () => this.#random.pick(NAMES)))]
  }

  #filled(schema: Schema): unknown {
    const random = this.#random
    if (schema.name === LOGICAL.Decimal) return new Decimal(this.#bigint(), Number(schema.parameters!['scale']))
    if (LOGICAL_NAMES.some((name) => name === schema.name)) return this.#date(schema.name!)
    switch (schema.type) {
      case 'int8':
      case 'int16':
      case 'int32': {
        const max = 2 ** (Number(schema.type.slice(3)) - 1)
        return random.pick([0, 1, -1, max - 1, -max, random.int(2 * max) - max])
      }
      case 'int64':
        return random.pick([0n, -1n, 2n ** 63n - 1n, -(2n ** 63n), BigInt(random.int(2 ** 32)) * 104_729n])
      case 'float32':
        return Math.fround(this.#double())
      case 'float64':
        return this.#double()
      case 'boolean':
        return random.chance(0.5)
      case 'string':
        return this.#text()
      case 'bytes':
        return this.#bytes()
      case 'array':
        return Array.from({ length: random.int(4) }, () => this.#element(schema.valueSchema!))
      case 'map':
        return new Map(
          Array.from({ length: random.int(4) }, () => [
            this.#filled(schema.keySchema!),
            this.#element(schema.valueSchema!),
          ]),
        )
      case 'struct':
        return Object.fromEntries(schema.fields!.map((field) => [field.name, this.value(field.schema)]))
    }
  }

  /** An element of a list or map is null only if its schema is optional: Connect takes no default for it. */
  #element(schema: Schema): unknown {
    return schema.optional === true ? this.value(schema) : this.#filled(schema)
  }

  #text(): string {
    const random = this.#random
    if (random.chance(0.6)) return random.pick(TEXTS)
    return String.fromCodePoint(...Array.from({ length: random.int(12) }, () => 0x20 + random.int(0x250)))
  }

  #double(): number {
    const random = this.#random
    if (random.chance(0.5)) return random.pick(DOUBLES)
    return (random.next() - 0.5) * 10 ** (random.int(60) - 30)
  }

  #bytes(): Buffer {
    return Buffer.from(Array.from({ length: this.#random.int(12) }, () => this.#random.int(256)))
  }

  #bigint(): bigint {
    const random = this.#random
    const digits = Array.from({ length: 1 + random.int(3) * random.int(12) }, () => random.int(10)).join('')
    return random.chance(0.3) ? -BigInt(digits) : BigInt(digits)
  }

  #date(name: string): Date {
    const random = this.#random
    if (name === LOGICAL.Time) return new Date(random.pick([0, random.int(DAY), DAY - 1]))
    const days = random.pick([0, random.int(30_000), -random.int(200_000), random.int(1_000_000)])
    return new Date(days * DAY + (name === LOGICAL.Date ? 0 : random.int(DAY)))
  }
}
