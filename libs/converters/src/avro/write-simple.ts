import { Decimal, decimalScale, fits, fromLogical, LOGICAL, type Schema, unscaledToBytes } from '@tributary/connect-api'
import type { AvroType, EnumType, FixedType } from './avro-type.ts'
import { isLogical } from './connect-names.ts'
import type { Sink } from './sink.ts'
import { misfit, unfit, wrongClass } from './unfit.ts'

/** Writes a Connect value to a sink as Avro's binary encoding. Throws DataError for a value that does not fit. */
export type Write = (sink: Sink, value: unknown) => void

/** Writes values other than null of a schema as a type without parts. Throws DataError where the type has no place for them. */
export function writerOfSimple(schema: Schema, type: AvroType): Write {
  isLogical(schema)
  switch (type.type) {
    case 'boolean':
      only(schema, type, ['boolean'])
      return (sink, value) => {
        if (typeof value !== 'boolean') throw wrongClass(schema, value)
        sink.byte(value ? 1 : 0)
      }
    case 'int':
      only(schema, type, ['int8', 'int16', 'int32'])
      return numbers(schema, (sink, value) => sink.int(value as number))
    case 'long':
      only(schema, type, ['int8', 'int16', 'int32', 'int64'])
      return longs(schema, type)
    case 'float':
      only(schema, type, ['float32', 'int8', 'int16', 'int32', 'int64'])
      return numbers(schema, (sink, value) => sink.float(Number(value)))
    case 'double':
      only(schema, type, ['float32', 'float64', 'int8', 'int16', 'int32', 'int64'])
      return numbers(schema, (sink, value) => sink.double(Number(value)))
    case 'string':
      only(schema, type, ['string'])
      return (sink, value) => {
        if (typeof value !== 'string') throw wrongClass(schema, value)
        sink.string(value)
      }
    case 'bytes':
      only(schema, type, ['bytes'])
      return bytes(schema, type, (sink, value) => {
        sink.int(value.length)
        sink.raw(value)
      })
    case 'fixed':
      only(schema, type, ['bytes'])
      return fixed(schema, type)
    case 'enum':
      only(schema, type, ['string'])
      return symbols(schema, type)
    default:
      throw misfit(schema, type)
  }
}

function only(schema: Schema, type: AvroType, allowed: readonly Schema['type'][]): void {
  if (!allowed.includes(schema.type)) throw misfit(schema, type)
}

function numbers(schema: Schema, write: (sink: Sink, value: number | bigint) => void): Write {
  if (isLogical(schema)) {
    return (sink, value) => {
      if (!(value instanceof Date)) throw wrongClass(schema, value)
      write(sink, fromLogical(schema, value) as number | bigint)
    }
  }
  return (sink, value) => {
    if (!fits(schema, value)) throw wrongClass(schema, value)
    write(sink, value as number | bigint)
  }
}

function longs(schema: Schema, type: AvroType): Write {
  const factor = PER_MS[`${schema.name} ${String(type.props['logicalType'])}`]
  if (factor === undefined) return numbers(schema, (sink, value) => sink.long(value))
  return numbers(schema, (sink, value) => {
    const long = BigInt(value) * factor
    if (BigInt.asIntN(64, long) !== long) throw unfit(`${long} has more than 64 bits`)
    sink.long(long)
  })
}

/** Units of a logical type of Avro in one ms of Connect's. */
const PER_MS: Readonly<Record<string, bigint>> = {
  [`${LOGICAL.Time} time-micros`]: 1000n,
  [`${LOGICAL.Timestamp} timestamp-micros`]: 1000n,
  [`${LOGICAL.Timestamp} local-timestamp-micros`]: 1000n,
  [`${LOGICAL.Timestamp} timestamp-nanos`]: 1_000_000n,
  [`${LOGICAL.Timestamp} local-timestamp-nanos`]: 1_000_000n,
}

function bytes(schema: Schema, type: AvroType, write: (sink: Sink, value: Uint8Array) => void): Write {
  const own = schema.name === LOGICAL.Decimal ? decimalScale(schema) : null
  const scale = own === null ? null : scaleOf(type)
  return (sink, value) => {
    if (!fits(schema, value)) throw wrongClass(schema, value)
    // The type may be another than the schema's own, with another scale.
    if (
      value instanceof Decimal &&
      scale !== null &&
      (value.scale < scale || (value.scale > scale && value.scale === own))
    ) {
      return write(sink, unscaledToBytes(rescaled(value, scale)))
    }
    write(sink, fromLogical(schema, value) as Uint8Array)
  }
}

/** null: the type is no decimal, and says nothing of a scale. Without one a decimal has the scale 0 (Avro 1.12, "Decimal"). */
function scaleOf({ props }: AvroType): number | null {
  const { logicalType, scale = 0 } = props
  return logicalType === 'decimal' && typeof scale === 'number' ? scale : null
}

/** Digits by which a decimal is extended or cut. */
const MAX_SHIFT = 10_000

/** The unscaled value of a decimal in another scale. Throws DataError if it would lose digits. */
function rescaled({ unscaled, scale }: Decimal, to: number): bigint {
  const shift = Math.abs(to - scale)
  if (shift > MAX_SHIFT) throw unfit(`the schema has the scale ${to}, and the value ${scale}`)
  const factor = 10n ** BigInt(shift)
  if (to > scale) return unscaled * factor
  if (unscaled % factor === 0n) return unscaled / factor
  throw unfit(`the schema has ${to} decimal places, and the value needs more of its ${scale}`)
}

function fixed(schema: Schema, type: FixedType): Write {
  const { size } = type
  return bytes(schema, type, (sink, value) => {
    let given = value
    // A decimal of fixed size is filled up with its sign.
    if (schema.name === LOGICAL.Decimal && value.length < size) {
      given = Buffer.alloc(size, (value[0] ?? 0) & 0x80 ? 0xff : 0)
      given.set(value, size - value.length)
    }
    if (given.length !== size) throw unfit(`${type.name} has ${size} bytes, and the value has ${value.length}`)
    sink.raw(given)
  })
}

function symbols(schema: Schema, type: EnumType): Write {
  const indexes = new Map(type.symbols.map((symbol, index) => [symbol, index]))
  return (sink, value) => {
    if (typeof value !== 'string') throw wrongClass(schema, value)
    const index = indexes.get(value)
    if (index === undefined) throw unfit(`${JSON.stringify(value.slice(0, 100))} is no symbol of the enum ${type.name}`)
    sink.int(index)
  }
}
