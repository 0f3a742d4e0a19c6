import { Decimal, type Field, LOGICAL, type Schema, unscaledFromBytes } from '@tributary/connect-api'
import { Input, LEN, malformed, MAX_DEPTH, START_GROUP, tooDeep, VARINT } from './input.ts'
import * as names from './names.ts'
import type { ProtoField, ProtoMessage } from './model.ts'
import { enumReader, readerOf, type ReadScalar, wireTypeOf } from './scalar-reader.ts'
import type { ProtobufSettings } from './settings.ts'
import { TIMESTAMP_MAX_SECONDS, TIMESTAMP_MIN_SECONDS } from './encoder.ts'
import { unionFieldName } from './to-schema.ts'

/** Reads the bytes of a message as a value of the Connect schema that `toConnectSchema` made of it. Throws DataError. */
export type ReadMessage = (bytes: Uint8Array) => unknown

/**
 * Values that one record may become. A few bytes can stand for a struct of many fields, so the bound on the bytes of a record is
 * none on the memory of its values.
 */
const MAX_VALUES = 5_000_000

export function compileReader(message: ProtoMessage, schema: Schema, settings: ProtobufSettings): ReadMessage {
  const compiler = new ReaderCompiler(settings)
  if (schema.type !== 'struct') {
    const wrapper = compiler.wrapper(message)
    return (bytes) => wrapper(new State(bytes), 1)
  }
  const plan = compiler.struct(message, schema)
  return (bytes) => {
    const state = new State(bytes)
    return readStruct(state, plan, newStruct(state, plan), 1)
  }
}

class State extends Input {
  #values = 0

  count(values: number): void {
    this.#values += values
    if (this.#values > MAX_VALUES) throw malformed(`it stands for more than ${MAX_VALUES} values`)
  }
}

type Struct = Record<string, unknown>
/** Reads a message that ends at `state.end`. `depth`: the number of messages around its fields. */
type ReadContent = (state: State, depth: number) => unknown
/** Reads one occurrence of a field whose tag was read, and keeps its value in the struct. */
type ReadField = (state: State, struct: Struct, wire: number, depth: number) => void

interface FieldPlan {
  /** A field with another wire type is skipped, as protobuf-java does. */
  readonly wire: number
  /** Whether a run of values may stand in one field. */
  readonly packable: boolean
  readonly read: ReadField
}

interface StructPlan {
  /** By field number. */
  readonly fields: Map<number, FieldPlan>
  /** What a field is before it is read. */
  readonly initial: { readonly name: string; readonly make: (state: State, depth: number) => unknown }[]
}

function newStruct(state: State, plan: StructPlan, depth = 1): Struct {
  if (depth > MAX_DEPTH) throw tooDeep()
  const struct: Struct = {}
  const { initial } = plan
  state.count(initial.length + 1)
  for (const { name, make } of initial) set(struct, name, make(state, depth))
  return struct
}

/** A field may be named `__proto__`. */
function set(struct: Struct, name: string, value: unknown): void {
  if (name !== '__proto__') struct[name] = value
  else Object.defineProperty(struct, name, { value, writable: true, enumerable: true, configurable: true })
}

function readStruct(state: State, plan: StructPlan, struct: Struct, depth: number): Struct {
  if (depth > MAX_DEPTH) throw tooDeep()
  while (state.pos < state.end) {
    const tag = state.tag()
    const field = plan.fields.get(tag >>> 3)
    const wire = tag & 7
    if (field === undefined || (wire !== field.wire && !(field.packable && wire === LEN))) state.skip(tag, depth)
    else field.read(state, struct, wire, depth)
  }
  return struct
}

class ReaderCompiler {
  readonly #settings: ProtobufSettings
  readonly #structs = new Map<string, StructPlan>()

  constructor(settings: ProtobufSettings) {
    this.#settings = settings
  }

  struct(message: ProtoMessage, schema: Schema): StructPlan {
    const known = this.#structs.get(message.fullName)
    if (known) return known
    const plan: StructPlan = { fields: new Map(), initial: [] }
    this.#structs.set(message.fullName, plan)
    const byName = new Map((schema.fields ?? []).map((field): [string, Field] => [field.name, field]))
    const { flattenUnions } = this.#settings
    for (const [i, oneof] of message.oneofs.entries()) {
      const members = message.fields.filter((field) => field.oneof === oneof)
      if (flattenUnions) this.#flattened(plan, members, byName)
      else this.#union(plan, members, byName.get(unionFieldName(oneof, i, this.#settings))!)
    }
    for (const field of message.fields)
      if (field.oneof === null) this.#field(plan, field, byName.get(field.name)!.schema)
    return plan
  }

  #flattened(plan: StructPlan, members: readonly ProtoField[], byName: ReadonlyMap<string, Field>): void {
    for (const member of members) {
      const { read } = this.#value(member, byName.get(member.name)!.schema)
      plan.initial.push({ name: member.name, make: () => null })
      add(plan, member, (state, struct, wire, depth) => {
        const value = read(state, wire, depth, undefined)
        for (const other of members) set(struct, other.name, null)
        set(struct, member.name, value)
      })
    }
  }

  /** The last member of a oneof wins. */
  #union(plan: StructPlan, members: readonly ProtoField[], { name, schema }: Field): void {
    plan.initial.push({ name, make: () => null })
    for (const member of members) {
      const { read } = this.#value(member, schema.fields!.find((field) => field.name === member.name)!.schema)
      add(plan, member, (state, struct, wire, depth) => {
        state.count(1)
        const union: Struct = {}
        set(union, member.name, read(state, wire, depth, undefined))
        set(struct, name, union)
      })
    }
  }

  #field(plan: StructPlan, field: ProtoField, schema: Schema): void {
    const { name } = field
    if (schema.type === 'map') {
      plan.initial.push({ name, make: () => new Map() })
      add(plan, field, this.#map(field, schema))
    } else if (schema.type === 'array') {
      plan.initial.push({ name, make: () => [] })
      add(plan, field, this.#list(field, schema))
    } else {
      const { read, unset } = this.#value(field, schema)
      const { structForNulls, optionalForProto2 } = this.#settings
      const keepsNull =
        field.message !== null || field.optional === 'proto3' || (optionalForProto2 && field.optional === 'proto2')
      plan.initial.push({ name, make: keepsNull && !structForNulls ? () => null : unset })
      add(plan, field, (state, struct, wire, depth) => {
        set(struct, name, read(state, wire, depth, Object.hasOwn(struct, name) ? struct[name] : undefined))
      })
    }
  }

  #list(field: ProtoField, schema: Schema): ReadField {
    const { name } = field
    const { read, scalar } = this.#value(field, schema.valueSchema!)
    return (state, struct, wire, depth) => {
      const list = struct[name] as unknown[]
      if (wire !== LEN || scalar === null || wireTypeOf(field.type) === LEN) {
        state.count(1)
        list.push(read(state, wire, depth, undefined))
        return
      }
      const end = state.chunk()
      const outer = state.end
      state.end = end
      while (state.pos < end) {
        state.count(1)
        list.push(scalar(state))
      }
      state.end = outer
    }
  }

  #map(field: ProtoField, schema: Schema): ReadField {
    const { name } = field
    const [key, value] = field.message!.fields as [ProtoField, ProtoField]
    const keys = this.#value(key, schema.keySchema!)
    const values = this.#value(value, schema.valueSchema!)
    const keyWire = wireTypeOf(key.type)
    const valueWire = wireTypeOf(value.type)
    return (state, struct, wire, depth) => {
      inside(state, field, wire, depth, () => {
        state.count(2)
        let k: unknown
        let v: unknown
        while (state.pos < state.end) {
          const tag = state.tag()
          const wireType = tag & 7
          if (tag >>> 3 === key.number && wireType === keyWire) k = keys.read(state, wireType, depth + 1, undefined)
          else if (tag >>> 3 === value.number && wireType === valueWire) v = values.read(state, wireType, depth + 1, v)
          else state.skip(tag, depth + 1)
        }
        const map = struct[name] as Map<unknown, unknown>
        map.set(
          k === undefined ? keys.unset(state, depth + 1) : k,
          v === undefined ? values.unset(state, depth + 1) : v,
        )
      })
    }
  }

  /** `before`: the value of an earlier occurrence, which a message is merged into. */
  #value(field: ProtoField, schema: Schema): ValueReader {
    if (field.enum) {
      const { read, unset } = enumReader(field, this.#settings.intForEnums)
      return { scalar: read, read, unset }
    }
    if (field.message === null) {
      const { read, unset } = readerOf(field, schema)
      return { scalar: read, read, unset }
    }
    return this.#message(field, field.message, schema)
  }

  #message(field: ProtoField, message: ProtoMessage, schema: Schema): ValueReader {
    const content = this.#content(message, schema)
    if (content !== null) {
      return {
        scalar: null,
        read: (state, wire, depth) => inside(state, field, wire, depth, () => content(state, depth + 1)),
        unset: (state, depth) => {
          const { pos, end } = state
          state.end = pos
          const value = content(state, depth + 1)
          state.end = end
          return value
        },
      }
    }
    const plan = this.struct(message, schema)
    return {
      scalar: null,
      read: (state, wire, depth, before) =>
        inside(state, field, wire, depth, () => {
          const struct = (before as Struct | null | undefined) ?? newStruct(state, plan, depth + 1)
          return readStruct(state, plan, struct, depth + 1)
        }),
      unset: (state, depth) => newStruct(state, plan, depth + 1),
    }
  }

  /** For a message that becomes no struct. */
  #content(message: ProtoMessage, schema: Schema): ReadContent | null {
    switch (schema.name ?? '') {
      case LOGICAL.Decimal:
        return readDecimal
      case LOGICAL.Date:
        return readDate
      case LOGICAL.Time:
        return readTime
      case LOGICAL.Timestamp:
        return readTimestamp
    }
    return schema.type === 'struct' ? null : this.wrapper(message)
  }

  /** The value of a message of wrappers.proto. */
  wrapper(message: ProtoMessage): ReadContent {
    const type = names.WRAPPERS[message.fullName as keyof typeof names.WRAPPERS]
    const { read, unset } = readerOf({ ...message.fields[0]!, type, presence: false }, null)
    return (state, depth) => {
      let value: unknown
      eachField(state, depth, (number, wire) => {
        if (number !== 1 || wire !== wireTypeOf(type)) return false
        value = read(state)
        return true
      })
      return value === undefined ? unset() : value
    }
  }
}

interface ValueReader {
  readonly read: (state: State, wire: number, depth: number, before: unknown) => unknown
  /** null: not a scalar, so never packed. */
  readonly scalar: ReadScalar | null
  readonly unset: (state: State, depth: number) => unknown
}

function add(plan: StructPlan, field: ProtoField, read: ReadField): void {
  const wire = wireTypeOf(field.type)
  plan.fields.set(field.number, { wire, packable: field.repeated && wire !== LEN && wire !== START_GROUP, read })
}

/** Reads a message, or a group, that is the value of a field. */
function inside<T>(state: State, field: ProtoField, wire: number, depth: number, read: () => T): T {
  if (depth >= MAX_DEPTH) throw tooDeep()
  const outer = state.end
  let end: number
  let after: number
  if (wire === LEN) {
    end = after = state.chunk()
  } else {
    const start = state.pos
    end = state.skipGroup(field.number, depth + 1)
    after = state.pos
    state.pos = start
  }
  state.end = end
  const value = read()
  state.end = outer
  state.pos = after
  return value
}

function eachField(state: State, depth: number, read: (number: number, wire: number) => boolean): void {
  if (depth > MAX_DEPTH) throw tooDeep()
  while (state.pos < state.end) {
    const tag = state.tag()
    if (!read(tag >>> 3, tag & 7)) state.skip(tag, depth)
  }
}

/** The numbers of a message of int32 fields 1, 2, …: google.type.Date and TimeOfDay. */
function readNumbers(state: State, depth: number, count: number): number[] {
  const numbers = new Array<number>(count).fill(0)
  eachField(state, depth, (number, wire) => {
    if (number > count || wire !== VARINT) return false
    numbers[number - 1] = state.uint32() | 0
    return true
  })
  return numbers
}

function readDecimal(state: State, depth: number): unknown {
  let unscaled: bigint | undefined
  let scale = 0
  eachField(state, depth, (number, wire) => {
    if (number === 1 && wire === LEN) unscaled = unscaledFromBytes(state.copy())
    else if (number === 3 && wire === VARINT) scale = state.uint32() | 0
    else return false
    return true
  })
  if (unscaled === undefined) throw malformed('a Decimal without a value')
  return new Decimal(unscaled, scale)
}

function readDate(state: State, depth: number): Date {
  const [year, month, day] = readNumbers(state, depth, 3) as [number, number, number]
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  // As in Java, where the calendar is not lenient.
  if (year < 1 || date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) {
    throw malformed(`a Date of year ${year}, month ${month}, day ${day}`)
  }
  return date
}

function readTime(state: State, depth: number): Date {
  const [hours, minutes, seconds, nanos] = readNumbers(state, depth, 4) as [number, number, number, number]
  const fits = (value: number, max: number): boolean => value >= 0 && value <= max
  if (!fits(hours, 23) || !fits(minutes, 59) || !fits(seconds, 59) || !fits(nanos, 999_999_999)) {
    throw malformed(`a TimeOfDay of ${hours} h, ${minutes} min, ${seconds} s, ${nanos} ns`)
  }
  return new Date(((hours * 60 + minutes) * 60 + seconds) * 1000 + Math.floor(nanos / 1_000_000))
}

function readTimestamp(state: State, depth: number): Date {
  let seconds = 0n
  let nanos = 0
  eachField(state, depth, (number, wire) => {
    if (number === 1 && wire === VARINT) seconds = state.int64()
    else if (number === 2 && wire === VARINT) nanos = state.uint32() | 0
    else return false
    return true
  })
  if (seconds < TIMESTAMP_MIN_SECONDS || seconds > TIMESTAMP_MAX_SECONDS || nanos < 0 || nanos > 999_999_999) {
    throw malformed(`a Timestamp of ${seconds} s, ${nanos} ns`)
  }
  return new Date(Number(seconds) * 1000 + Math.floor(nanos / 1_000_000))
}
