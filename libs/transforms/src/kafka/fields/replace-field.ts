import { defineConfig, parseRenames, type ValuesOf } from '@tributary/config'
import {
  type ConnectRecord,
  equalSchemas,
  fieldOf,
  javaClass,
  LOGICAL,
  type Schema,
  type Transformation,
  validateValue,
} from '@tributary/connect-api'
import { keyAndValue, type Side } from '../../define.ts'
import { transformErrors } from '../../errors.ts'
import { basicsOf, BySchema, fieldsOf, structOf } from '../support/build.ts'
import { KAFKA, REPLACE_NULL } from '../support/keys.ts'
import { type Entries, requireMap, requireStruct, setOwn } from '../support/require.ts'
import { read, type Slot, slotOf, write } from '../support/struct.ts'

const PURPOSE = 'field replacement'

const spec = defineConfig({
  exclude: {
    type: 'list',
    default: [],
    importance: 'medium',
    doc: 'Fields to exclude. This takes precedence over the fields to include.',
  },
  blacklist: { type: 'list', default: null, importance: 'low', doc: 'Deprecated. Use exclude instead.' },
  include: {
    type: 'list',
    default: [],
    importance: 'medium',
    doc: 'Fields to include. If specified, only these fields will be used.',
  },
  whitelist: { type: 'list', default: null, importance: 'low', doc: 'Deprecated. Use include instead.' },
  renames: {
    type: 'list',
    default: [],
    validator: { kind: 'renames' },
    importance: 'medium',
    doc: 'Field rename mappings.',
  },
  'replace.null.with.default': REPLACE_NULL,
})

/** Leaves out and renames fields. */
export const replaceField = keyAndValue(
  `${KAFKA}.ReplaceField`,
  spec,
  (side, config, props) => new ReplaceField(side, config, props),
)

/** A field of the result, and where its value comes from. */
interface Part {
  readonly name: string
  readonly schema: Schema
  /** null: the schema has no such field, which is an error for each record. */
  readonly source: Slot | null
  readonly from: string
}

class ReplaceField implements Transformation {
  readonly #side: Side
  readonly #exclude: ReadonlySet<string>
  readonly #include: ReadonlySet<string>
  readonly #renames: ReadonlyMap<string, string>
  readonly #original: ReadonlyMap<string, string>
  readonly #replaceNull: boolean
  readonly #plans = new BySchema((schema) => this.#plan(schema))

  constructor(side: Side, config: ValuesOf<typeof spec.keys>, props: Readonly<Record<string, unknown>>) {
    this.#side = side
    // The old names count where the new ones are not given.
    this.#exclude = new Set(Object.hasOwn(props, 'exclude') ? config.exclude : (config.blacklist ?? []))
    this.#include = new Set(Object.hasOwn(props, 'include') ? config.include : (config.whitelist ?? []))
    this.#renames = parseRenames(config.renames)
    this.#original = new Map([...this.#renames].map(([from, to]) => [to, from]))
    this.#replaceNull = config['replace.null.with.default']
  }

  apply<R extends ConnectRecord>(record: R): R {
    const value = this.#side.value(record)
    if (value === null) return record
    const schema = this.#side.schema(record)
    if (schema === null) return this.#side.with(record, null, this.#renamed(requireMap(value, PURPOSE)))
    const struct = requireStruct(schema, value, PURPOSE)
    const plan = this.#plans.get(schema)
    const updated: Record<string, unknown> = {}
    for (const { name, schema: target, source, from } of plan.parts) {
      if (source === null) throw transformErrors.TRANSFORM_DATA(`${from} is not a valid field name`)
      const found = read(struct, source)
      if (target !== source.schema) requireClass(name, target, source.schema, found)
      write(updated, name, target, found)
    }
    return this.#side.with(record, plan.schema, updated)
  }

  #renamed(map: Entries): Record<string, unknown> {
    const updated: Record<string, unknown> = {}
    if (map instanceof Map) {
      for (const [name, value] of map as ReadonlyMap<string, unknown>) this.#keep(updated, name, value)
    } else {
      for (const name of Object.keys(map)) this.#keep(updated, name, (map as Record<string, unknown>)[name])
    }
    return updated
  }

  #keep(updated: Record<string, unknown>, name: string, value: unknown): void {
    if (this.#keeps(name)) setOwn(updated, this.#renames.get(name) ?? name, value)
  }

  #keeps(name: string): boolean {
    return !this.#exclude.has(name) && (this.#include.size === 0 || this.#include.has(name))
  }

  #plan(schema: Schema): { readonly schema: Schema; readonly parts: readonly Part[] } {
    const kept = fieldsOf(schema).filter(({ name }) => this.#keeps(name))
    const renamed = kept.map(({ name, schema: of }) => ({ name: this.#renames.get(name) ?? name, schema: of }))
    const updated = structOf(basicsOf(schema), renamed)
    const parts = renamed.map(({ name, schema: target }) => {
      // By the new name, as Kafka looks for the value: of two fields with one new name the renamed one counts.
      const from = this.#original.get(name) ?? name
      const field = fieldOf(schema, from)
      return { name, schema: target, source: field === undefined ? null : slotOf(field, this.#replaceNull), from }
    })
    return { schema: updated, parts }
  }
}

/** Throws DataError unless a value of the schema `from` may stand in the field, as Connect's Struct.put does. */
function requireClass(name: string, target: Schema, from: Schema, value: unknown): void {
  if (value === null || equalSchemas(target, from)) return
  const found = javaClass(value, from)
  if (classOf(target) === classOf(from)) {
    if (target.type === 'struct') throw transformErrors.TRANSFORM_DATA('Struct schemas do not match.')
    return validateValue(target, value, name)
  }
  const schemaName = target.name === undefined ? '' : ` "${target.name}"`
  throw transformErrors.TRANSFORM_DATA(
    `Invalid Java object for schema${schemaName} with type ${target.type.toUpperCase()}: ${found} for field: "${name}"`,
  )
}

/** What two schemas have in common whose values have one class in Java. */
function classOf({ name, type }: Schema): string {
  if (name === LOGICAL.Decimal) return name
  return name === LOGICAL.Date || name === LOGICAL.Time || name === LOGICAL.Timestamp ? LOGICAL.Date : type
}
