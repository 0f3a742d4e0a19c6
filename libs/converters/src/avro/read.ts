import { type Schema, toLogical } from '@tributary/connect-api'
import type { AvroType, RecordType, UnionType } from './avro-type.ts'
import { isLogical, isUnion } from './connect-names.ts'
import { type Cursor, damaged } from './cursor.ts'
import { isAnything, isMapEntry } from './to-connect-schema.ts'

/** Reads a value of Avro's binary encoding as Connect's. Throws DataError for bytes that are none. */
export type Read = (cursor: Cursor) => unknown

/** Makes the function that reads values of an Avro type. `schema` is that of `toConnectSchema`, null for values without one. */
export function compileReader(type: AvroType, schema: Schema | null): Read {
  const compiler = new ReaderCompiler()
  if (schema !== null) return compiler.read(type, schema)
  return compiler.anything(type as RecordType)
}

type Made = Map<RecordType, { read: Read | null }>

class ReaderCompiler {
  /** A type that contains itself finds itself here. */
  readonly #records: Made = new Map()
  readonly #maps: Made = new Map()

  read(type: AvroType, schema: Schema): Read {
    if (type.type === 'union') return this.#union(type, schema)
    const read = this.#plain(type, schema)
    if (!isLogical(schema)) return read
    return (cursor) => toLogical(schema, read(cursor))
  }

  #plain(type: Exclude<AvroType, UnionType>, schema: Schema): Read {
    switch (type.type) {
      case 'null':
        return () => null
      case 'boolean':
        return (cursor) => cursor.boolean()
      case 'int':
        return intReader(schema)
      case 'long':
        return (cursor) => cursor.long()
      case 'float':
        return (cursor) => cursor.float()
      case 'double':
        return (cursor) => cursor.double()
      case 'string':
        return (cursor) => cursor.string()
      case 'bytes':
        return (cursor) => cursor.data()
      case 'fixed':
        return (cursor) => cursor.fixed(type.size)
      case 'enum':
        return (cursor) => at(type.symbols, cursor.int())
      case 'array':
        return schema.type === 'map' && isMapEntry(type.items)
          ? this.#once(this.#maps, type.items, (entry) => this.#entries(entry, schema))
          : this.#array(type.items, schema)
      case 'map':
        return this.#map(type.values, schema)
      case 'record':
        return this.#once(this.#records, type, () => this.#record(type, schema))
    }
  }

  #once(all: Made, type: RecordType, make: (type: RecordType) => Read): Read {
    const known = all.get(type)
    if (known !== undefined) return known.read ?? ((cursor) => known.read!(cursor))
    const made: { read: Read | null } = { read: null }
    all.set(type, made)
    return (made.read = make(type))
  }

  #record({ fields }: RecordType, schema: Schema): Read {
    const reads = fields.map((field, i) => {
      const { name, schema: own } = schema.fields![i]!
      return { name, read: this.read(field.type, own) }
    })
    return (cursor) => {
      cursor.item()
      cursor.deeper()
      const struct: Record<string, unknown> = {}
      for (let i = 0; i < reads.length; i++) {
        const { name, read } = reads[i]!
        put(struct, name, read(cursor))
      }
      cursor.depth--
      return struct
    }
  }

  #array(items: AvroType, { valueSchema }: Schema): Read {
    const read = this.read(items, valueSchema!)
    return (cursor) => {
      cursor.deeper()
      const values: unknown[] = []
      cursor.blocks(() => values.push(read(cursor)))
      cursor.depth--
      return values
    }
  }

  #map(values: AvroType, { valueSchema }: Schema): Read {
    const read = this.read(values, valueSchema!)
    return (cursor) => {
      cursor.deeper()
      const map = new Map<unknown, unknown>()
      cursor.blocks(() => map.set(cursor.string(), read(cursor)))
      cursor.depth--
      return map
    }
  }

  #entries(entry: RecordType, { keySchema, valueSchema }: Schema): Read {
    const key = this.read(entry.fields[0]!.type, keySchema!)
    const value = this.read(entry.fields[1]!.type, valueSchema!)
    return (cursor) => {
      cursor.deeper()
      const map = new Map<unknown, unknown>()
      cursor.blocks(() => map.set(key(cursor), value(cursor)))
      cursor.depth--
      return map
    }
  }

  #union({ branches }: UnionType, schema: Schema): Read {
    const isStruct = isUnion(schema)
    let place = 0
    const reads = branches.map((branch): Read => {
      if (branch.type === 'null') return () => null
      if (!isStruct) return this.read(branch, schema)
      const { name, schema: own } = schema.fields![place++]!
      const read = this.read(branch, own)
      return (cursor) => {
        cursor.item()
        const struct: Record<string, unknown> = {}
        put(struct, name, read(cursor))
        return struct
      }
    })
    return (cursor) => at(reads, cursor.int())(cursor)
  }

  /** A value without schema: the first field that has a value. */
  anything(type: RecordType): Read {
    return this.#once(this.#records, type, () => {
      const reads = type.fields.map(({ type: field }) => this.#anyField(field))
      return (cursor) => {
        cursor.item()
        cursor.deeper()
        let value: unknown = null
        for (const read of reads) value = read(cursor) ?? value
        cursor.depth--
        return value
      }
    })
  }

  #anyField(type: AvroType): Read {
    const branches = type.type === 'union' ? type.branches : [type]
    const reads = branches.map((branch): Read => {
      if (branch.type === 'record' && isAnything(branch)) return this.anything(branch)
      if (branch.type === 'long') {
        return (cursor) => {
          const value = cursor.long()
          return Number.isSafeInteger(Number(value)) ? Number(value) : value
        }
      }
      if (branch.type !== 'array') return this.read(branch, { type: 'string' })
      if (!isMapEntry(branch.items)) {
        const read = this.#anyField(branch.items)
        return (cursor) => {
          const values: unknown[] = []
          cursor.blocks(() => values.push(read(cursor)))
          return values
        }
      }
      const [key, value] = branch.items.fields.map((field) => this.#anyField(field.type))
      return (cursor) => anyMap(cursor, key!, value!)
    })
    return type.type === 'union' ? (cursor) => at(reads, cursor.int())(cursor) : reads[0]!
  }
}

/** As Java narrows an int. */
function intReader({ type }: Schema): Read {
  const spare = type === 'int8' ? 24 : type === 'int16' ? 16 : 0
  return (cursor) => (cursor.int() << spare) >> spare
}

/** A plain object where all keys are texts, as JSON gives it. */
function anyMap(cursor: Cursor, key: Read, value: Read): unknown {
  const map = new Map<unknown, unknown>()
  cursor.blocks(() => map.set(key(cursor), value(cursor)))
  if ([...map.keys()].some((each) => typeof each !== 'string')) return map
  const object: Record<string, unknown> = {}
  for (const [name, each] of map) put(object, name as string, each)
  return object
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index]
  if (found === undefined)
    throw damaged(`${index} is no index of a branch or symbol, of which there are ${list.length}`)
  return found
}

/** A field may be named `__proto__`. */
function put(struct: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(struct, name, { value, enumerable: true, configurable: true, writable: true })
  else struct[name] = value
}
