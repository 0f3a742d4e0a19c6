import { fieldValue, fits, type Schema, withoutDefault } from '@tributary/connect-api'
import type { AvroType, RecordType, UnionType } from './avro-type.ts'
import { avroName, branchField, enumParameter, hasTextKeys, isUnion } from './connect-names.ts'
import { writeDefault } from './json-writer.ts'
import type { AvroOptions } from './options.ts'
import { Sink } from './sink.ts'
import { misfit, needed, unfit, wrongClass } from './unfit.ts'
import { type Write, writerOfSimple } from './write-simple.ts'

/**
 * Makes the function that writes values of a Connect schema as an Avro type. The type may be another than the schema's own: fields are
 * found by their names, those that the schema does not have get their defaults, and numbers are widened. Throws DataError where the type has no
 * place for the values.
 */
export function compileWriter(schema: Schema, type: AvroType, options: AvroOptions): Write {
  return new WriterCompiler(options).write(schema, type)
}

/** A value may be nested this deep in types that contain themselves. */
const MAX_DEPTH = 200

/** What writes a schema as a type. `refusal`: why the type has no place for it; null: it has, or that is being found out. */
interface Made {
  write: Write | null
  refusal: unknown
}

class WriterCompiler {
  readonly #options: AvroOptions
  /** By type and schema. A type that contains itself finds itself here. */
  readonly #made = new Map<AvroType, Map<Schema, Made>>()

  constructor(options: AvroOptions) {
    this.#options = options
  }

  write(schema: Schema, type: AvroType): Write {
    if (type.type === 'union') return isUnion(schema) ? this.#unionStruct(schema, type) : this.#optional(schema, type)
    const write = this.#required(schema, type)
    return schema.optional === true ? (sink, value) => write(sink, needed(value)) : write
  }

  /** Writes values other than null. */
  #required(schema: Schema, type: AvroType): Write {
    switch (type.type) {
      case 'record':
        return this.#once(schema, type, () => this.#record(schema, type))
      case 'array':
        return schema.type === 'map'
          ? this.#once(schema, type.items, () => this.#entries(schema, type.items))
          : this.#array(schema, type.items)
      case 'map':
        return this.#map(schema, type.values)
      default:
        return writerOfSimple(schema, type)
    }
  }

  #once(schema: Schema, type: AvroType, make: () => Write): Write {
    let bySchema = this.#made.get(type)
    if (bySchema === undefined) this.#made.set(type, (bySchema = new Map<Schema, Made>()))
    const known = bySchema.get(schema)
    if (known !== undefined) {
      if (known.refusal !== null) throw known.refusal
      // Within its own making the writer is found later.
      return (
        known.write ??
        ((sink, value) => {
          if (++sink.depth > MAX_DEPTH) throw unfit(`the value is nested more than ${MAX_DEPTH} deep`)
          known.write!(sink, value)
          sink.depth--
        })
      )
    }
    const made: Made = { write: null, refusal: null }
    bySchema.set(schema, made)
    try {
      return (made.write = make())
    } catch (error) {
      // Another branch of a union may fit, and the pair may come again.
      made.refusal = error
      throw error
    }
  }

  #record(schema: Schema, type: RecordType): Write {
    if (schema.type !== 'struct') throw misfit(schema, type)
    const fields = new Map((schema.fields ?? []).map((field) => [avroName(field.name, this.#options), field]))
    const writes: ((sink: Sink, struct: object) => void)[] = type.fields.map((avro) => {
      const field =
        fields.get(avro.name) ?? avro.aliases.map((alias) => fields.get(alias)).find((each) => each !== undefined)
      if (field === undefined) {
        if (avro.default === undefined) {
          throw misfit(schema, type, `the record has no field ${avro.name}, which has no default`)
        }
        const sink = new Sink()
        writeDefault(sink, avro.type, avro.default)
        const bytes = sink.take()
        return (to) => to.raw(bytes)
      }
      const write = this.write(field.schema, avro.type)
      const { name } = field
      if (this.#options.ignoreDefaults) return (sink, struct) => write(sink, withoutDefault(struct, name))
      return (sink, struct) => {
        const value = Object.hasOwn(struct, name) ? (struct as Record<string, unknown>)[name] : null
        write(sink, value ?? fieldValue(struct, field))
      }
    })
    return (sink, value) => {
      if (!fits(schema, value)) throw wrongClass(schema, value)
      for (let i = 0; i < writes.length; i++) writes[i]!(sink, value as object)
    }
  }

  #array(schema: Schema, items: AvroType): Write {
    if (schema.type !== 'array' || schema.valueSchema === undefined) throw misfit(schema, { type: 'array' })
    const write = this.write(schema.valueSchema, items)
    return (sink, value) => {
      if (!Array.isArray(value)) throw wrongClass(schema, value)
      if (value.length > 0) sink.int(value.length)
      for (const each of value as readonly unknown[]) write(sink, each ?? null)
      sink.byte(0)
    }
  }

  #map(schema: Schema, values: AvroType): Write {
    if (schema.type !== 'map' || schema.valueSchema === undefined || !hasTextKeys(schema, this.#options)) {
      throw misfit(schema, { type: 'map' })
    }
    const write = this.write(schema.valueSchema, values)
    return (sink, value) => {
      const entries = entriesOf(schema, value)
      if (entries.length > 0) sink.int(entries.length)
      for (const [key, each] of entries) {
        if (typeof key !== 'string') throw wrongClass(schema.keySchema!, key)
        sink.string(key)
        write(sink, each ?? null)
      }
      sink.byte(0)
    }
  }

  /** A map whose keys are no texts: an array of records with the fields key and value. */
  #entries(schema: Schema, items: AvroType): Write {
    const [key, value] = items.type === 'record' ? items.fields : []
    if (key?.name !== 'key' || value?.name !== 'value' || !schema.keySchema || !schema.valueSchema) {
      throw misfit(schema, { type: 'array' })
    }
    const writeKey = this.write(schema.keySchema, key.type)
    const writeValue = this.write(schema.valueSchema, value.type)
    return (sink, map) => {
      const entries = entriesOf(schema, map)
      if (entries.length > 0) sink.int(entries.length)
      for (const [k, v] of entries) {
        writeKey(sink, k ?? null)
        writeValue(sink, v ?? null)
      }
      sink.byte(0)
    }
  }

  /** A union of null and what the schema is, or a larger one of another schema that has a branch for it. */
  #optional(schema: Schema, type: UnionType): Write {
    const none = type.branches.findIndex((branch) => branch.type === 'null')
    const [index, write] = this.#branch(schema, type)
    return (sink, value) => {
      if (value === null || value === undefined) {
        if (none < 0 || schema.optional !== true) needed(value)
        sink.int(none)
        return
      }
      sink.int(index)
      write(sink, value)
    }
  }

  /** The first branch that has a place for the schema's values. One of the same name comes first, then one of the same type: no other keeps all values. */
  #branch(schema: Schema, type: UnionType): [index: number, write: Write] {
    const order = type.branches
      .map((branch, index) => ({ branch, index }))
      .filter(({ branch }) => branch.type !== 'null')
    const own = enumParameter(schema, this.#options) === null ? OWN_TYPES[schema.type] : 'enum'
    const rank = ({ branch }: { branch: AvroType }): number =>
      'name' in branch && branch.name === schema.name ? 2 : Number(branch.type === own)
    order.sort((a, b) => rank(b) - rank(a))
    let refusal: unknown
    for (const { branch, index } of order) {
      try {
        return [index, this.#required(schema, branch)]
      } catch (error) {
        refusal ??= error
      }
    }
    throw refusal ?? misfit(schema, type)
  }

  #unionStruct(schema: Schema, type: UnionType): Write {
    const none = type.branches.findIndex((branch) => branch.type === 'null')
    const fields = (schema.fields ?? []).map((field, at) => {
      const named = type.branches.findIndex((branch, i) => branchField(branch, i, this.#options) === field.name)
      const index = named >= 0 ? named : at + (none === 0 ? 1 : 0)
      const branch = type.branches[index]
      if (branch === undefined || branch.type === 'null') throw misfit(schema, type)
      return { field, index, write: this.#required({ ...field.schema, optional: false }, branch) }
    })
    return (sink, struct) => {
      const given = struct === null || struct === undefined ? null : struct
      if (given !== null && !fits(schema, given)) throw wrongClass(schema, given)
      for (const { field, index, write } of fields) {
        const value = given === null ? null : fieldValue(given, field)
        if (value === null) continue
        sink.int(index)
        write(sink, value)
        return
      }
      if (none < 0) needed(null)
      sink.int(none)
    }
  }
}

const OWN_TYPES: Readonly<Partial<Record<Schema['type'], AvroType['type']>>> = {
  int8: 'int',
  int16: 'int',
  int32: 'int',
  int64: 'long',
  float32: 'float',
  float64: 'double',
  string: 'string',
}

function entriesOf(schema: Schema, value: unknown): [unknown, unknown][] {
  if (value instanceof Map) return [...(value as Map<unknown, unknown>)]
  if (!fits(schema, value)) throw wrongClass(schema, value)
  return Object.entries(value as object)
}
