import { defineConfig, type ValuesOf } from '@tributary/config'
import {
  type ConnectRecord,
  hasDefault,
  isLong,
  javaClass,
  LOGICAL,
  OPTIONAL_STRING_SCHEMA,
  type Schema,
  STRING_SCHEMA,
  type Transformation,
} from '@tributary/connect-api'
import { keyAndValue, type Side } from '../../define.ts'
import { transformErrors } from '../../errors.ts'
import { type DateFormat, dateFormat } from '../dates/date-format.ts'
import { DatePatternError } from '../dates/pattern.ts'
import { withinDates } from '../dates/within.ts'
import { basicsOf, BySchema, fieldsOf, structOf } from '../support/build.ts'
import { KAFKA, REPLACE_NULL } from '../support/keys.ts'
import { copyOf, entryOf, requireMap, requireStruct, setEntry } from '../support/require.ts'
import { copyStruct, type Slot, slotOf } from '../support/struct.ts'
import { dateOfUnix, type Precision, unixOfDate } from '../support/unix-time.ts'

const PURPOSE = 'converting timestamp formats'
const TYPES = ['string', 'unix', 'Date', 'Time', 'Timestamp'] as const
type TimestampType = (typeof TYPES)[number]
const DAY = 86_400_000
const REMEDY = '; set unix.precision or format so that it is read rightly'

const spec = defineConfig({
  field: {
    type: 'string',
    default: '',
    importance: 'high',
    doc: 'The field containing the timestamp, or empty if the entire value is a timestamp',
  },
  'target.type': {
    type: 'string',
    validator: { kind: 'oneOf', values: TYPES, rejectNull: true },
    importance: 'high',
    doc: 'The desired timestamp representation: string, unix, Date, Time, or Timestamp',
  },
  format: {
    type: 'string',
    default: '',
    importance: 'medium',
    doc: 'A SimpleDateFormat-compatible format for the timestamp. Used to generate the output when type=string or used to parse the input if the input is a string.',
  },
  'unix.precision': {
    type: 'string',
    default: 'milliseconds',
    validator: { kind: 'oneOf', values: ['nanoseconds', 'microseconds', 'milliseconds', 'seconds'] },
    importance: 'low',
    doc: 'The desired Unix precision for the timestamp: seconds, milliseconds, microseconds, or nanoseconds. Used to generate the output when type=unix or used to parse the input if the input is a Long. Note: This SMT will cause precision loss during conversions from, and to, values with sub-millisecond components.',
  },
  'replace.null.with.default': REPLACE_NULL,
})

/** Converts times between text, numbers and Connect's logical types. */
export const timestampConverter = keyAndValue(
  `${KAFKA}.TimestampConverter`,
  spec,
  (side, config) => new TimestampConverter(side, config),
)

class TimestampConverter implements Transformation {
  readonly #side: Side
  readonly #field: string
  readonly #target: TimestampType
  readonly #format: DateFormat | null
  readonly #precision: Precision
  readonly #replaceNull: boolean
  readonly #plans = new BySchema((schema) => this.#plan(schema))

  constructor(side: Side, config: ValuesOf<typeof spec.keys>) {
    this.#side = side
    this.#field = config.field
    this.#target = config['target.type'] as TimestampType
    this.#precision = config['unix.precision'] as Precision
    this.#replaceNull = config['replace.null.with.default']
    const pattern = config.format
    if (pattern.trim() === '' && this.#target === 'string') {
      const text = 'TimestampConverter requires format option to be specified when using string timestamps'
      throw transformErrors.TRANSFORM_CONFIG(text, { field: 'format' })
    }
    this.#format = pattern.trim() === '' ? null : formatOf(pattern)
  }

  apply<R extends ConnectRecord>(record: R): R {
    const schema = this.#side.schema(record)
    const value = this.#side.value(record)
    if (schema === null) return this.#side.with(record, null, this.#convertWithoutSchema(value))
    if (this.#field === '') {
      const type = requireType(schema)
      return this.#side.with(record, targetSchema(this.#target, schema), this.#convert(value, type, schema))
    }
    const struct = value === null ? null : requireStruct(schema, value, PURPOSE)
    const plan = this.#plans.get(schema)
    return this.#side.with(record, plan.schema, struct === null ? null : copyStruct(struct, plan.slots))
  }

  #convertWithoutSchema(value: unknown): unknown {
    if (value === null || this.#field === '') return this.#convert(value, null, null)
    const map = requireMap(value, PURPOSE)
    const updated = copyOf(map)
    setEntry(updated, this.#field, this.#convert(entryOf(map, this.#field), null, null))
    return updated
  }

  #plan(schema: Schema): { readonly schema: Schema; readonly slots: readonly Slot[] } {
    const slots = fieldsOf(schema).map((field) => {
      if (field.name !== this.#field) return slotOf(field, this.#replaceNull)
      const convert = (value: unknown): unknown => this.#convert(value, requireType(field.schema), field.schema)
      return slotOf(field, this.#replaceNull, targetSchema(this.#target, field.schema), convert)
    })
    const struct = structOf(basicsOf(schema), slots)
    const changed = {
      ...struct,
      fields: slots.map(({ name, schema: of }) => ({ name, schema: of })),
      ...(schema.optional === true && { optional: true }),
    }
    const initial = hasDefault(schema) ? copyStruct(schema.default as Record<string, unknown>, slots) : null
    return { schema: initial === null ? changed : { ...changed, default: initial }, slots }
  }

  /** `type`: null: it follows from the value. */
  #convert(value: unknown, type: TimestampType | null, schema: Schema | null): unknown {
    if (value === null) return null
    const ms = this.#toMs(value, type ?? typeOf(value), schema)
    switch (this.#target) {
      case 'string':
        return this.#format!.format(ms)
      case 'unix': {
        const unix = unixOfDate(ms, this.#precision)
        return schema === null && Number.isSafeInteger(Number(unix)) ? Number(unix) : unix
      }
      case 'Date':
        return new Date(Math.floor(ms / DAY) * DAY)
      case 'Time':
        return new Date(ms - Math.floor(ms / DAY) * DAY)
      default:
        return new Date(ms)
    }
  }

  #toMs(value: unknown, type: TimestampType, schema: Schema | null): number {
    if (type === 'string') return this.#parse(value, schema)
    const found = javaClass(value, schema)
    if (type === 'unix') {
      if (typeof value !== 'bigint' && !(typeof value === 'number' && Number.isInteger(value))) {
        throw transformErrors.TRANSFORM_DATA(`Expected Unix timestamp to be a Long, but found ${found}`)
      }
      return withinDates(dateOfUnix(BigInt(value), this.#precision), value, REMEDY)
    }
    if (value instanceof Date) return value.getTime()
    throw transformErrors.TRANSFORM_DATA(`Expected ${type} to be a java.util.Date, but found ${found}`)
  }

  #parse(value: unknown, schema: Schema | null): number {
    if (typeof value !== 'string') {
      const found = javaClass(value, schema)
      throw transformErrors.TRANSFORM_DATA(`Expected string timestamp to be a String, but found ${found}`)
    }
    if (this.#format === null) {
      throw transformErrors.TRANSFORM_DATA(
        'TimestampConverter requires format option to be specified when using string timestamps',
      )
    }
    const ms = this.#format.parse(value)
    if (ms !== null) return withinDates(ms, value, REMEDY)
    throw transformErrors.TRANSFORM_DATA(
      `Could not parse timestamp: value (${value}) does not match pattern (${this.#format.pattern})`,
    )
  }
}

function formatOf(pattern: string): DateFormat {
  try {
    return dateFormat(pattern)
  } catch (cause) {
    if (!(cause instanceof DatePatternError)) throw cause
    // As Kafka, which takes the message for the name of a setting.
    const name = `TimestampConverter requires a SimpleDateFormat-compatible pattern for string timestamps: ${pattern}`
    const text = `Invalid value java.lang.IllegalArgumentException: ${cause.message} for configuration ${name}`
    throw transformErrors.TRANSFORM_CONFIG(text, { cause, field: 'format' })
  }
}

function targetSchema(target: TimestampType, { optional }: Schema): Schema {
  const kept = optional === true ? { optional } : {}
  switch (target) {
    case 'string':
      return optional === true ? OPTIONAL_STRING_SCHEMA : STRING_SCHEMA
    case 'unix':
      return { type: 'int64', ...kept }
    case 'Date':
      return { type: 'int32', name: LOGICAL.Date, version: 1, ...kept }
    case 'Time':
      return { type: 'int32', name: LOGICAL.Time, version: 1, ...kept }
    case 'Timestamp':
      return { type: 'int64', name: LOGICAL.Timestamp, version: 1, ...kept }
  }
}

function requireType({ name, type }: Schema): TimestampType {
  if (name === LOGICAL.Timestamp) return 'Timestamp'
  if (name === LOGICAL.Date) return 'Date'
  if (name === LOGICAL.Time) return 'Time'
  if (type === 'string') return 'string'
  if (type === 'int64') return 'unix'
  const shown = `Schema{${name === undefined ? '' : `${name}:`}${type.toUpperCase()}}`
  throw transformErrors.TRANSFORM_DATA(`Schema ${shown} does not correspond to a known timestamp type format`)
}

function typeOf(value: unknown): TimestampType {
  if (value instanceof Date) return 'Timestamp'
  if (typeof value === 'bigint' || (typeof value === 'number' && isLong(value))) return 'unix'
  if (typeof value === 'string') return 'string'
  throw transformErrors.TRANSFORM_DATA(`TimestampConverter does not support ${javaClass(value)} objects as timestamps`)
}
