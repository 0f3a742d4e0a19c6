import { defineConfig } from '@tributary/config'
import { Decimal, type Field, isPlainObject, LOGICAL, type Schema } from '@tributary/connect-api'
import { keyAndValue } from '../define.ts'
import { transformErrors } from '../errors.ts'
import { compileExpression } from '../expressions/expression.ts'
import { basicsOf, BySchema, fieldsOf, structOf } from '../kafka/support/build.ts'
import { copyOf, requireMap, requireStruct, setEntry, setOwn } from '../kafka/support/require.ts'
import { TRIBUTARY, VERSION } from './name.ts'

const PURPOSE = 'field insertion'

const TYPES = ['string', 'boolean', 'int32', 'int64', 'float64', 'bytes', 'timestamp'] as const
type Type = (typeof TYPES)[number]

const SCHEMAS: Readonly<Record<Type, Schema>> = {
  string: { type: 'string', optional: true },
  boolean: { type: 'boolean', optional: true },
  int32: { type: 'int32', optional: true },
  int64: { type: 'int64', optional: true },
  float64: { type: 'float64', optional: true },
  bytes: { type: 'bytes', optional: true },
  timestamp: { type: 'int64', optional: true, name: LOGICAL.Timestamp, version: 1 },
}

/** Adds a field with what an expression gives, or sets it. */
export const insertExpression = keyAndValue(
  `${TRIBUTARY}.InsertExpression`,
  defineConfig({
    field: { type: 'string', validator: { kind: 'nonEmpty' }, importance: 'high', doc: 'The name of the field.' },
    expression: {
      type: 'string',
      importance: 'high',
      doc: 'An expression in CEL that gives the value of the field.',
      example: 'uuid(topic, key, value)',
    },
    'field.type': {
      type: 'string',
      default: 'string',
      validator: { kind: 'oneOf', values: TYPES },
      importance: 'medium',
      doc: 'The type of the field, which is optional in the schema. A result of another type is an error of the record; whole numbers fit each type of numbers.',
    },
  }),
  (side, config) => {
    const { field } = config
    const type = config['field.type'] as Type
    const expression = compileExpression(config.expression, 'expression', 'any')
    const added: Field = { name: field, schema: SCHEMAS[type] }
    const schemas = new BySchema((schema) => {
      const fields = fieldsOf(schema)
      const at = fields.findIndex(({ name }) => name === field)
      return structOf(basicsOf(schema), at < 0 ? [...fields, added] : fields.with(at, added))
    })
    return {
      apply: (record) => {
        const value = side.value(record)
        if (value === null) return record
        const schema = side.schema(record)
        const result = typed(expression.evaluate(record), type, field)
        if (schema === null) {
          const map = copyOf(requireMap(value, PURPOSE))
          setEntry(map, field, withoutSchema(result))
          return side.with(record, null, map)
        }
        const struct = { ...requireStruct(schema, value, PURPOSE) }
        setOwn(struct, field, result)
        return side.with(record, schemas.get(schema), struct)
      },
    }
  },
  VERSION,
)

/** Throws DataError for a value that does not fit the type. */
function typed(value: unknown, type: Type, field: string): unknown {
  if (value === null) return null
  const number = value instanceof Decimal ? Number(value.toString()) : value
  switch (type) {
    case 'string':
      if (typeof value === 'string') return value
      break
    case 'boolean':
      if (typeof value === 'boolean') return value
      break
    case 'float64':
      if (typeof number === 'number' || typeof number === 'bigint') return Number(number)
      break
    case 'int32':
    case 'int64':
      if (isWhole(number)) return ofWidth(BigInt(number), type, field)
      break
    case 'bytes':
      if (value instanceof Uint8Array) return value
      break
    case 'timestamp':
      if (value instanceof Date) return value
      break
  }
  const is = isPlainObject(value) ? 'a map' : `a ${typeof value}`
  throw transformErrors.TRANSFORM_DATA(`the expression for the field ${field} gives ${is}, which is no ${type}`)
}

function isWhole(value: unknown): value is number | bigint {
  return typeof value === 'bigint' || Number.isInteger(value)
}

function ofWidth(value: bigint, type: 'int32' | 'int64', field: string): number | bigint {
  if (BigInt.asIntN(type === 'int32' ? 32 : 64, value) !== value) {
    throw transformErrors.TRANSFORM_DATA(
      `the expression for the field ${field} gives ${value}, which is beyond ${type}`,
    )
  }
  return type === 'int32' ? Number(value) : value
}

/** As InsertField does without a schema: whole numbers where they fit, ms for a time. */
function withoutSchema(value: unknown): unknown {
  if (value instanceof Date) return value.getTime()
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
}
