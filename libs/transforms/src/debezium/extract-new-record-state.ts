import { defineConfig, javaTrim, type ValuesOf } from '@tributary/config'
import {
  type ConnectRecord,
  type Field,
  fieldOf,
  type Schema,
  type Transformation,
  withoutDefault,
} from '@tributary/connect-api'
import { defineTransformation } from '../define.ts'
import { transformErrors } from '../errors.ts'
import { extractField } from '../kafka/fields/extract-field.ts'
import { insertField } from '../kafka/fields/insert-field.ts'
import { replaceField } from '../kafka/fields/replace-field.ts'
import { basicsOf, fieldsOf, structOf } from '../kafka/support/build.ts'
import { requireStruct, setOwn } from '../kafka/support/require.ts'
import { write } from '../kafka/support/struct.ts'
import { deletesMany, hasCells, type Unset, withoutCells } from './cassandra.ts'
import { isEnvelope, isTombstone } from './envelope.ts'
import {
  type FieldReference,
  headersOf,
  parseReferences,
  schemaOfReference,
  valueOfReference,
} from './field-reference.ts'
import { DEBEZIUM_VERSION } from './version.ts'

const PURPOSE = 'source field insertion'

type Struct = Readonly<Record<string, unknown>>

const MODES = ['drop', 'tombstone', 'rewrite', 'rewrite-with-tombstone', 'delete-to-tombstone'] as const

const spec = defineConfig({
  'delete.tombstone.handling.mode': {
    type: 'string',
    default: null,
    validator: { kind: 'oneOf', values: MODES, ignoreCase: true },
    importance: 'medium',
    doc: 'What becomes of deletions. `drop`: nothing is left of the deletion and its tombstone. `tombstone` (used when none of the three keys is set): the deletion becomes a tombstone with the schema of the row, and the tombstone that follows is dropped. `delete-to-tombstone`: the same, without schema. `rewrite`: the deletion becomes the row as it was, with the field `__deleted` = `true`, and the tombstone is dropped. `rewrite-with-tombstone`: the same, and the tombstone stays.',
  },
  'drop.tombstones': {
    type: 'boolean',
    default: null,
    importance: 'low',
    doc: 'Whether the tombstone after a deletion is dropped. Read only without `delete.tombstone.handling.mode`; `true` if only `delete.handling.mode` is set.',
    deprecated: 'Set delete.tombstone.handling.mode instead.',
  },
  'delete.handling.mode': {
    type: 'string',
    default: null,
    validator: { kind: 'oneOf', values: ['none', 'drop', 'rewrite'], ignoreCase: true },
    importance: 'low',
    doc: 'What becomes of the deletion itself: `drop`, `none` (it becomes a tombstone), `rewrite` (it becomes the row as it was, with `__deleted` = `true`). Read only without `delete.tombstone.handling.mode`; `drop` if only `drop.tombstones` is set.',
    deprecated: 'Set delete.tombstone.handling.mode instead.',
  },
  'route.by.field': {
    type: 'string',
    default: '',
    importance: 'low',
    doc: 'The column whose text becomes the topic.',
  },
  'add.fields.prefix': {
    type: 'string',
    default: '__',
    importance: 'low',
    doc: 'Put before the name of each added field.',
  },
  'add.fields': {
    type: 'list',
    default: [],
    importance: 'low',
    doc: 'Fields of the event that are added to the row: `op`, `ts_ms` and the like of the event itself, `table` or `source.table` of its source, `transaction.id`. The name is the prefix and the field (`__op`, `__source_table`), or the prefix and a name after a colon (`source.table:TABLE`).',
    example: 'op,source.ts_ms,source.table',
  },
  'add.headers.prefix': {
    type: 'string',
    default: '__',
    importance: 'low',
    doc: 'Put before the name of each added header.',
  },
  'add.headers': {
    type: 'list',
    default: [],
    importance: 'low',
    doc: 'Fields of the event that are added as headers, written as in `add.fields`. A tombstone gets `op` alone.',
  },
  'drop.fields.header.name': {
    type: 'string',
    default: null,
    importance: 'low',
    doc: 'The header that lists fields which are left out of the row.',
  },
  'drop.fields.from.key': {
    type: 'boolean',
    default: false,
    importance: 'low',
    doc: 'Whether these fields are left out of the key too.',
  },
  'drop.fields.keep.schema.compatible': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether only optional fields are left out, which keeps the schema compatible.',
  },
  'replace.null.with.default': {
    type: 'boolean',
    default: true,
    importance: 'low',
    doc: 'Whether a column that is null gets its default when `__deleted` is added.',
  },
  'cassandra.cells': {
    type: 'string',
    default: 'flatten',
    validator: { kind: 'oneOf', values: ['flatten', 'keep'] },
    importance: 'low',
    doc: "What becomes of the cells `{value, deletion_ts, set}` of Debezium's connector for Cassandra. `flatten`: each column has its value, a deletion is seen as one, and `add.fields` may name `ttl_expiry`. `keep`: as Debezium's own transform, which takes a deletion of Cassandra for an update.",
  },
  'cassandra.unset.columns': {
    type: 'string',
    default: 'omit',
    validator: { kind: 'oneOf', values: ['omit', 'null'] },
    importance: 'low',
    doc: 'What becomes of columns that a statement of Cassandra did not touch. `omit`: they are left out of row and schema, so that a sink that writes the row over the old one keeps them. `null`: each row has all columns.',
  },
})

type Config = ValuesOf<typeof spec.keys>

/** What becomes of a deletion, and whether the tombstone after it stays. */
interface Deletions {
  readonly row: 'drop' | 'tombstone' | 'bare' | 'rewrite'
  readonly keepTombstone: boolean
}

function deletionsOf(config: Config): Deletions {
  const mode = config['delete.tombstone.handling.mode']?.toLowerCase()
  const [legacy, dropTombstones] = [config['delete.handling.mode']?.toLowerCase(), config['drop.tombstones']]
  if (mode === undefined && (legacy !== undefined || dropTombstones !== null)) {
    const row = legacy === 'rewrite' ? 'rewrite' : legacy === 'none' ? 'tombstone' : 'drop'
    return { row, keepTombstone: dropTombstones === false }
  }
  switch (mode) {
    case 'drop':
      return { row: 'drop', keepTombstone: false }
    case 'rewrite':
    case 'rewrite-with-tombstone':
      return { row: 'rewrite', keepTombstone: mode === 'rewrite-with-tombstone' }
    case 'delete-to-tombstone':
      return { row: 'bare', keepTombstone: false }
    default:
      return { row: 'tombstone', keepTombstone: false }
  }
}

const onValue = (plugins: typeof extractField, props: Record<string, string>): Transformation =>
  plugins[1].create(props)

/** Replaces a change event by the row after the change. */
export const extractNewRecordState = defineTransformation({
  class: 'io.debezium.transforms.ExtractNewRecordState',
  version: DEBEZIUM_VERSION,
  spec,
  create: (config) => new ExtractNewRecordState(config),
})

class ExtractNewRecordState implements Transformation {
  readonly #deletions: Deletions
  readonly #fields: readonly FieldReference[]
  readonly #headers: readonly FieldReference[]
  readonly #routeBy: string
  readonly #drop: DroppedFields | null
  readonly #flatten: boolean
  readonly #unset: Unset
  readonly #after = onValue(extractField, { field: 'after' })
  readonly #before = onValue(extractField, { field: 'before' })
  readonly #markDeleted: Transformation
  readonly #markKept: Transformation
  /** The schema of the row with the added fields, by that of the row and that of the event. */
  readonly #schemas = new WeakMap<Schema, WeakMap<Schema, Schema>>()

  constructor(config: Config) {
    this.#deletions = deletionsOf(config)
    this.#fields = parseReferences('add.fields', config['add.fields.prefix'], config['add.fields'])
    this.#headers = parseReferences('add.headers', config['add.headers.prefix'], config['add.headers'])
    this.#routeBy = config['route.by.field']
    const header = config['drop.fields.header.name']
    this.#drop =
      header === null || header.trim() === ''
        ? null
        : new DroppedFields(header, config['drop.fields.from.key'], config['drop.fields.keep.schema.compatible'])
    this.#flatten = config['cassandra.cells'] === 'flatten'
    this.#unset = config['cassandra.unset.columns'] as Unset
    const mark = (value: string): Transformation =>
      onValue(insertField, {
        'static.field': '__deleted',
        'static.value': value,
        'replace.null.with.default': String(config['replace.null.with.default']),
      })
    this.#markDeleted = mark('true')
    this.#markKept = mark('false')
  }

  apply<R extends ConnectRecord>(record: R): R | null {
    if (isTombstone(record)) return this.#deletions.keepTombstone ? this.#withHeaders(record) : null
    if (!isEnvelope(record)) return record
    const event = this.#flatten && hasCells(record.valueSchema!) ? this.#cassandra(record) : record
    return event && this.#applyTo(this.#withHeaders(event))
  }

  /** null: dropped. */
  #cassandra<R extends ConnectRecord>(record: R): R | null {
    const { row } = this.#deletions
    const event = withoutCells(record, this.#unset)
    const deletes = (event.value as Struct)['after'] === null
    if (deletes && row !== 'drop' && row !== 'rewrite' && deletesMany(record)) {
      throw transformErrors.TRANSFORM_DATA(
        'a deletion of a range or a partition of Cassandra cannot become a tombstone, which stands for one row; set delete.tombstone.handling.mode to rewrite',
      )
    }
    return event
  }

  #applyTo<R extends ConnectRecord>(event: R): R | null {
    const after = this.#after.apply(event)!
    if (isTombstone(after)) {
      // Neither a row before nor one after: the table was truncated.
      const before = this.#before.apply(event)!
      if (isTombstone(before)) return null
      return this.#deletion(event, before, after)
    }
    let row =
      this.#deletions.row === 'rewrite' && after.valueSchema?.type === 'struct' ? this.#markKept.apply(after)! : after
    if (this.#routeBy !== '') {
      row = routed(
        row,
        row.valueSchema!,
        row.value,
        this.#routeBy,
        'Read record to set topic routing for CREATE / UPDATE',
      )
    }
    row = this.#addFields(event, row)
    return this.#drop?.apply(row) ?? row
  }

  #deletion<R extends ConnectRecord>(event: R, before: R, after: R): R | null {
    let row: R
    switch (this.#deletions.row) {
      case 'drop':
        return null
      case 'tombstone':
        row = after
        break
      case 'bare':
        row = { ...event, value: null, valueSchema: null }
        break
      case 'rewrite':
        row = before.valueSchema?.type === 'struct' ? this.#markDeleted.apply(before)! : before
    }
    if (this.#routeBy !== '') {
      const text = 'Read record to set topic routing for DELETE'
      row = routed(row, before.valueSchema!, before.value, this.#routeBy, text)
    }
    row = this.#drop?.apply(row) ?? row
    return isTombstone(row) ? row : this.#addFields(event, row)
  }

  #withHeaders<R extends ConnectRecord>(record: R): R {
    if (this.#headers.length === 0) return record
    const added = headersOf(this.#headers, record.valueSchema, (record.value ?? null) as Struct | null)
    return { ...record, headers: [...(record.headers ?? []), ...added] }
  }

  #addFields<R extends ConnectRecord>(event: R, row: R): R {
    const from = event.valueSchema!
    const struct = requireStruct(row.valueSchema!, row.value, PURPOSE)
    const source = event.value as Struct
    const schema = this.#schemaOf(from, row.valueSchema!)
    const value: Record<string, unknown> = { ...struct }
    for (const { name, schema: wanted } of row.valueSchema!.fields!) {
      if (wanted.optional !== true) write(value, name, wanted, withoutDefault(struct, name))
    }
    for (const reference of this.#fields) {
      if (fieldOf(schema, reference.newName) !== undefined && schemaOfReference(reference, from) !== null) {
        setOwn(value, reference.newName, valueOfReference(reference, from, source))
      }
    }
    return { ...row, value, valueSchema: schema }
  }

  #schemaOf(event: Schema, row: Schema): Schema {
    let byRow = this.#schemas.get(event)
    if (byRow === undefined) {
      byRow = new WeakMap()
      this.#schemas.set(event, byRow)
    }
    let schema = byRow.get(row)
    if (schema === undefined) {
      const added = this.#fields
        .map((reference): Field | null => {
          const copy = schemaOfReference(reference, event)
          return copy && { name: reference.newName, schema: copy }
        })
        .filter((field) => field !== null)
      schema = structOf(basicsOf(row), [...fieldsOf(row), ...added])
      byRow.set(row, schema)
    }
    return schema
  }
}

/** The record with the text of a column as its topic. Throws DataError for a column that does not exist or is no text. */
function routed<R extends ConnectRecord>(record: R, schema: Schema, value: unknown, name: string, purpose: string): R {
  const struct = requireStruct(schema, value, purpose)
  const field = fieldOf(schema, name)
  if (field === undefined) throw transformErrors.TRANSFORM_DATA(`${name} is not a valid field name`)
  if (field.schema.type !== 'string') throw transformErrors.TRANSFORM_DATA(`Field '${name}' is not of type STRING`)
  const topic = (withoutDefault(struct, name) ?? '') as string
  return javaTrim(topic) === '' ? record : { ...record, topic }
}

/** Leaves fields out that a header lists. */
class DroppedFields {
  readonly #header: string
  readonly #fromKey: boolean
  readonly #compatible: boolean

  constructor(header: string, fromKey: boolean, compatible: boolean) {
    this.#header = header
    this.#fromKey = fromKey
    this.#compatible = compatible
  }

  apply<R extends ConnectRecord>(record: R): R {
    const names = record.headers?.find(({ name }) => name === this.#header)?.value
    if (!Array.isArray(names) || names.length === 0) return record
    const fromKey = this.#fromKey && record.key !== null && record.key !== undefined
    const row = fromKey ? this.#without(0, record, record.keySchema, names) : record
    return this.#without(1, row, row.valueSchema, names)
  }

  #without<R extends ConnectRecord>(
    side: 0 | 1,
    record: R,
    schema: Schema | null | undefined,
    names: readonly unknown[],
  ): R {
    const known = names.filter((name) => typeof name === 'string')
    const dropped =
      this.#compatible && schema
        ? fieldsOf(schema)
            .filter((field) => field.schema.optional === true && known.includes(field.name))
            .map(({ name }) => name)
        : known
    return dropped.length === 0 ? record : replaceField[side].create({ exclude: dropped.join(',') }).apply(record)!
  }
}
