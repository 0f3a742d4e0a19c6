import { equalSchemas, type Field, fieldOf, type Header, type Schema, withoutDefault } from '@tributary/connect-api'
import { transformErrors } from '../errors.ts'
import { basicsOf } from '../kafka/support/build.ts'

type Struct = Readonly<Record<string, unknown>>

/** A field of a change event that is to be copied to the row or to the headers: an entry of `add.fields` or `add.headers`. */
export interface FieldReference {
  /** The struct within the event that holds the field; null: the event itself. */
  readonly struct: string | null
  readonly name: string
  /** The name of the copy. */
  readonly newName: string
}

/** In the struct `transaction`. All others but these and those of the event itself are in `source`. */
const OF_TRANSACTION = ['id', 'data_collection_order', 'total_order']
const OF_EVENT = ['op', 'ts_ms', 'ts_us', 'ts_ns']

/** Parses entries such as `op`, `source.ts_ms` and `source.table:TABLE`. Throws ConfigError on `key`. */
export function parseReferences(key: string, prefix: string, entries: readonly string[]): readonly FieldReference[] {
  return entries.map((entry) => {
    const [path = '', alias, ...more] = entry.split(':')
    const [first = '', second] = path.split('.')
    if (more.length > 0) {
      throw transformErrors.TRANSFORM_CONFIG(
        `Invalid value ${entry} for configuration ${key}: Unexpected field name: ${entry}`,
        {
          field: key,
        },
      )
    }
    const [struct, name] = second === undefined ? [structOf(first), first] : [first, second]
    const newName = alias ?? (second === undefined ? name : `${struct}_${name}`)
    return { struct, name, newName: `${prefix}${newName}` }
  })
}

function structOf(name: string): string | null {
  if (OF_EVENT.includes(name)) return null
  if (OF_TRANSACTION.includes(name)) return 'transaction'
  return name === 'updateDescription' ? name : 'source'
}

/** The schema of the copy, always optional. null: the event has no such field. Throws DataError if it lacks the struct. */
export function schemaOfReference({ struct, name }: FieldReference, event: Schema): Schema | null {
  const field = holderOf(struct, event).find(name)
  return field && copied(field.schema)
}

/** The value of the copy, without defaults. null: none. */
export function valueOfReference({ struct, name }: FieldReference, event: Schema, value: Struct): unknown {
  const holder = struct === null ? value : withoutDefault(value, struct)
  // A transaction is there only where the connector tells them.
  if (holder === null) return null
  const found = withoutDefault(holderOf(struct, event).inStruct(name) ? (holder as object) : value, name)
  const schema = schemaOfReference({ struct, name, newName: name }, event)
  if (
    found !== null &&
    schema?.type === 'struct' &&
    !equalSchemas(schema, holderOf(struct, event).find(name)?.schema)
  ) {
    throw transformErrors.TRANSFORM_DATA('Struct schemas do not match.')
  }
  return found
}

interface Holder {
  inStruct(name: string): boolean
  /** In the struct, or else in the event itself, where another transform may have put it. */
  find(name: string): Field | null
}

function holderOf(struct: string | null, event: Schema): Holder {
  const schema = struct === null ? event : fieldOf(event, struct)?.schema
  if (schema === undefined) {
    throw transformErrors.TRANSFORM_DATA(`the change event has no struct ${struct}, from which a field is to be added`)
  }
  return {
    inStruct: (name) => fieldOf(schema, name) !== undefined,
    find: (name) => fieldOf(schema, name) ?? fieldOf(event, name) ?? null,
  }
}

/** As SchemaUtil.copySchemaBasics: of arrays the elements stay, of structs and maps nothing inside. */
function copied(schema: Schema): Schema {
  const { type, valueSchema } = schema
  return { type, ...basicsOf(schema), ...(type === 'array' && valueSchema && { valueSchema }), optional: true }
}

/** The headers for `add.headers`. A tombstone has the operation alone. */
export function headersOf(
  references: readonly FieldReference[],
  schema: Schema | null | undefined,
  value: Struct | null,
): readonly Header[] {
  const headers: Header[] = []
  for (const reference of references) {
    if (value === null || !schema) {
      if (reference.name === 'op') headers.push({ name: reference.newName, value: 'd', schema: { type: 'string' } })
      continue
    }
    const copy = schemaOfReference(reference, schema)
    if (copy !== null) {
      headers.push({ name: reference.newName, value: valueOfReference(reference, schema, value), schema: copy })
    }
  }
  return headers
}
