import { defineConfig, type ValuesOf } from '@tributary/config'
import {
  type ConnectRecord,
  Decimal,
  isLong,
  isPlainObject,
  javaClass,
  parseDecimal,
  type Schema,
  type Transformation,
} from '@tributary/connect-api'
import { keyAndValue, type Side } from '../../define.ts'
import { transformErrors } from '../../errors.ts'
import { BySchema } from '../support/build.ts'
import { KAFKA, NOT_EMPTY, NOT_EMPTY_TEXT, REPLACE_NULL } from '../support/keys.ts'
import { decimalToDouble, decimalToLong, narrow } from '../support/numbers.ts'
import { copyOf, entryOf, requireMap, requireStruct, setEntry } from '../support/require.ts'
import { copyStruct, slotOf } from '../support/struct.ts'

const PURPOSE = 'mask fields'

const spec = defineConfig({
  fields: { type: 'list', validator: NOT_EMPTY, importance: 'high', doc: 'Names of fields to mask.' },
  replacement: {
    type: 'string',
    default: null,
    validator: NOT_EMPTY_TEXT,
    importance: 'low',
    doc: "Custom value replacement, that will be applied to all 'fields' values (numeric or non-empty string values only).",
  },
  'replace.null.with.default': REPLACE_NULL,
})

/** Replaces the values of fields by the empty value of their type, or by a given one. */
export const maskField = keyAndValue(`${KAFKA}.MaskField`, spec, (side, config) => new MaskField(side, config))

class MaskField implements Transformation {
  readonly #side: Side
  readonly #fields: ReadonlySet<string>
  readonly #replacement: string | null
  readonly #replaceNull: boolean
  readonly #plans = new BySchema((schema) =>
    (schema.fields ?? []).map((field) => {
      const mask = (value: unknown): unknown => this.#masked(value, field.schema)
      return slotOf(field, this.#replaceNull, field.schema, this.#fields.has(field.name) ? mask : null)
    }),
  )

  constructor(side: Side, config: ValuesOf<typeof spec.keys>) {
    this.#side = side
    this.#fields = new Set(config.fields)
    this.#replacement = config.replacement
    this.#replaceNull = config['replace.null.with.default']
  }

  apply<R extends ConnectRecord>(record: R): R {
    const schema = this.#side.schema(record)
    const value = this.#side.value(record)
    if (schema === null) {
      const map = requireMap(value, PURPOSE)
      const updated = copyOf(map)
      for (const name of this.#fields) setEntry(updated, name, this.#masked(entryOf(map, name), null))
      return this.#side.with(record, null, updated)
    }
    const struct = requireStruct(schema, value, PURPOSE)
    return this.#side.with(record, schema, copyStruct(struct, this.#plans.get(schema)))
  }

  #masked(value: unknown, schema: Schema | null): unknown {
    if (value === null) return null
    return this.#replacement === null ? emptyValue(value, schema) : replaced(value, schema, this.#replacement)
  }
}

function emptyValue(value: unknown, schema: Schema | null): unknown {
  switch (typeof value) {
    case 'string':
      return ''
    case 'number':
      return 0
    case 'bigint':
      return 0n
    case 'boolean':
      return false
    default:
      break
  }
  if (value instanceof Decimal) return new Decimal(0n, 0)
  if (value instanceof Date) return new Date(0)
  if (Array.isArray(value)) return []
  if (value instanceof Map) return new Map()
  if (isPlainObject(value) && schema?.type !== 'struct') return {}
  throw transformErrors.TRANSFORM_DATA(`Cannot mask value of type: ${javaClass(value, schema)}`)
}

function replaced(value: unknown, schema: Schema | null, text: string): unknown {
  if (typeof value === 'string') return text
  const isNumber = typeof value === 'number' || typeof value === 'bigint'
  if (!isNumber && !(value instanceof Decimal)) {
    const of = javaClass(value, schema)
    throw transformErrors.TRANSFORM_DATA(`Cannot mask value of type ${of} with custom replacement.`)
  }
  const decimal = parseDecimal(text)
  if (decimal === null) {
    const what = isNumber ? 'a number' : 'number'
    const verb = `Unable to convert ${text} (class java.lang.String) to ${what}`
    throw transformErrors.TRANSFORM_DATA(verb)
  }
  if (!isNumber) return decimal
  const type = schema?.type ?? (typeof value === 'bigint' || isLong(value) ? 'int64' : 'float64')
  if (type === 'float64') return decimalToDouble(decimal)
  if (type === 'float32') return Math.fround(decimalToDouble(decimal))
  const long = narrow(decimalToLong(decimal), type)
  return schema === null ? schemalessLong(long) : long
}

/** Without schema a Long that a number can hold is a number. */
function schemalessLong(long: bigint | number): bigint | number {
  return Number.isSafeInteger(Number(long)) ? Number(long) : long
}
