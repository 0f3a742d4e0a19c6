import { Decimal } from './decimal.ts'
import type { Schema } from './schema.ts'

/** Java's class of a value as Connect's error texts print it, such as `class java.lang.String`. `schema`: if it fits, the value's own. */
export function javaClass(value: unknown, schema?: Schema | null): string {
  return `class ${className(value, schema)}`
}

const NUMBERS: Partial<Record<Schema['type'], string>> = {
  int8: 'java.lang.Byte',
  int16: 'java.lang.Short',
  int32: 'java.lang.Integer',
  int64: 'java.lang.Long',
  float32: 'java.lang.Float',
  float64: 'java.lang.Double',
}

function className(value: unknown, schema?: Schema | null): string {
  switch (typeof value) {
    case 'string':
      return 'java.lang.String'
    case 'boolean':
      return 'java.lang.Boolean'
    case 'bigint':
      return 'java.lang.Long'
    case 'number':
      return (schema && NUMBERS[schema.type]) ?? (isLong(value) ? 'java.lang.Long' : 'java.lang.Double')
    default:
      return classOfObject(value, schema)
  }
}

function classOfObject(value: unknown, schema?: Schema | null): string {
  if (value instanceof Uint8Array) return '[B'
  if (value instanceof Decimal) return 'java.math.BigDecimal'
  if (value instanceof Date) return 'java.util.Date'
  if (Array.isArray(value)) return 'java.util.ArrayList'
  return schema?.type === 'struct' && !(value instanceof Map)
    ? 'org.apache.kafka.connect.data.Struct'
    : 'java.util.HashMap'
}

/** Whether a number without schema is Java's Long. -0 is a Double. */
export function isLong(value: number): boolean {
  return Number.isSafeInteger(value) && !Object.is(value, -0)
}
