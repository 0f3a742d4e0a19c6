import { Decimal, type Schema } from '@tributary/connect-api'
import { grpcErrors } from '../../errors.ts'
import { enumTexts } from '../json/constants.ts'
import { mapKeyReader, type ReadKey } from '../json/lists.ts'
import { takeText } from '../json/output.ts'
import { scanCode } from '../json/scan-code.ts'
import { checkTimestamp } from '../json/time.ts'
import { hasEnum, readInt64 } from '../json/value.ts'
import { JsonCompiler, type JsonOptions, oneofSlots } from '../json/writer.ts'
import type { Field, MessageType } from '../model/model.ts'
import {
  addPosition,
  addRange,
  checkVarints,
  chunkStart,
  longTag,
  scan,
  skipChunk,
  skipGroup,
  skipUnknown,
  skipVarint,
  varint32,
} from '../wire/wire-scan.ts'
import { MAX_DEPTH, missingRequired, tooDeep, truncated } from '../wire/wire.ts'
import { type FieldPlan, type Form, type StructOptions, StructPlans } from './connect-schema.ts'
import {
  enumName,
  type MessageReader,
  readByteStrings,
  readEnums,
  readGroups,
  readMap,
  readMessages,
  type ReadMessage,
  readScalars,
  readStrings,
} from './lists.ts'
import { ReadCode, type ReadConstants } from './read-code.ts'
import { READ, readBytes, readString } from './scalars.ts'

const MAX_INT64 = 0x7fffffffffffffffn

/** Unsigned 64-bit integers as int64. */
function bounded(value: bigint): bigint {
  if (value <= MAX_INT64) return value
  throw grpcErrors.PROTOBUF_STRUCT(
    `${value} is more than int64 holds (${MAX_INT64}); grpc.struct.lossless=true makes a Decimal of it`,
  )
}

const BOUNDED = {
  uint64: (buf: Buffer, at: number) => bounded(READ.uint64(buf, at)),
  fixed64: (buf: Buffer, at: number) => bounded(READ.fixed64(buf, at)),
}

const DECIMAL = {
  uint64: (buf: Buffer, at: number) => new Decimal(READ.uint64(buf, at), 0),
  fixed64: (buf: Buffer, at: number) => new Decimal(READ.fixed64(buf, at), 0),
}

/** A google.protobuf.Timestamp, cut to ms as Connect's has no more. */
function timestampOf(seconds: number, nanos: number): Date {
  checkTimestamp(seconds, nanos)
  return new Date(seconds * 1000 + Math.floor(nanos / 1_000_000))
}

/** The functions that generated source calls, by the names that it uses. */
const RUNTIME = {
  ...{ BOUNDED, DECIMAL, READ, addPosition, addRange, checkVarints, chunkStart, enumName, hasEnum, longTag },
  ...{ missingRequired, readByteStrings, readBytes, readEnums, readGroups, readInt64, readMap, readMessages },
  ...{ readScalars, readString, readStrings, scan, skipChunk, skipGroup, skipUnknown, skipVarint, timestampOf },
  ...{ tooDeep, truncated, varint32 },
}

class TypeReader implements MessageReader {
  read: ReadMessage

  constructor(compile: () => ReadMessage) {
    // At the first use: a set may hold thousands of types, and types refer to each other.
    this.read = (...args) => {
      this.read = compile()
      return this.read(...args)
    }
  }
}

/**
 * Generates a reader for each message type: the scanner of the JSON writer, and then one object literal. A Map or a loop over the
 * fields would cost each record several times as much, and leave objects of many hidden classes to the converters.
 */
class StructCompiler {
  readonly plans: StructPlans
  readonly #options: StructOptions
  readonly #json: JsonCompiler
  readonly #readers = new Map<MessageType, Map<Form, TypeReader>>()

  constructor(type: MessageType, options: StructOptions & JsonOptions) {
    this.plans = new StructPlans(options)
    this.#options = options
    this.#json = new JsonCompiler(type.types, options)
  }

  readerOf(type: MessageType, form: Form): TypeReader {
    let forms = this.#readers.get(type)
    if (forms === undefined) this.#readers.set(type, (forms = new Map<Form, TypeReader>()))
    const known = forms.get(form)
    if (known !== undefined) return known
    const reader = new TypeReader(() =>
      form === 'json' || form === 'text' ? this.#jsonReader(type, form) : this.#compile(type, form),
    )
    forms.set(form, reader)
    return reader
  }

  /** `text`: a JSON string without its quotes; it needs no escapes. */
  #jsonReader(type: MessageType, form: 'json' | 'text'): ReadMessage {
    const writer = this.#json.writerOf(type)
    return (buf, start, end, more, depth) => {
      const json = takeText(writer.write(buf, start, end, more, 0, depth))
      return form === 'json' ? json : json.slice(1, -1)
    }
  }

  #compile(type: MessageType, form: Form): ReadMessage {
    const constants = new ConstantTable(this)
    const oneofs = oneofSlots(type.fields)
    const closed = new Map<Field, string>()
    for (const field of type.fields) {
      if (field.closed && !field.repeated) closed.set(field, constants.add(enumTexts(field)))
    }
    const scanner = scanCode(type.fields, oneofs, closed)
    const code = new ReadCode(constants, oneofs, this.#options.lossless)
    const required = type.fields.filter((field) => field.required).map((field) => code.required(field))
    const result = this.#result(code, type, form)
    const source = `"use strict";
  const {${Object.keys(RUNTIME).join(', ')}} = runtime;
  ${constants.declarations()}
  return function read(buf, s, e, more, depth) {
    if (depth > ${MAX_DEPTH}) throw tooDeep();
    let t = 0, n = 0, f = 0, i = 0;
    ${scanner.declarations}
    ${scanner.loop}
    ${required.join('\n    ')}
    return ${result};
  }`
    // oxlint-disable-next-line typescript/no-implied-eval -- of a descriptor only names of letters, digits and _ are in the source
    const make = new Function('runtime', 'constants', source) as (
      r: typeof RUNTIME,
      c: readonly unknown[],
    ) => ReadMessage
    return make(RUNTIME, constants.values)
  }

  #result(code: ReadCode, type: MessageType, form: Form): string {
    if (form === 'timestamp') return 'timestampOf(p1 < 0 ? 0 : readInt64(buf, p1), p2 < 0 ? 0 : varint32(buf, p2))'
    const { fields } = this.plans.planOf(type)
    if (form === 'wrapper') return code.field(fields[0]!)
    return type.mapEntry ? code.entry(...(fields as [FieldPlan, FieldPlan])) : code.struct(fields)
  }
}

class ConstantTable implements ReadConstants {
  readonly values: unknown[] = []
  readonly #names = new Map<unknown, string>()
  readonly #compiler: StructCompiler

  constructor(compiler: StructCompiler) {
    this.#compiler = compiler
  }

  add(value: unknown): string {
    const known = this.#names.get(value)
    if (known !== undefined) return known
    const name = `k${this.values.length}`
    this.values.push(value)
    this.#names.set(value, name)
    return name
  }

  reader(type: MessageType, form: Form): string {
    return this.add(this.#compiler.readerOf(type, form))
  }

  keyReader(entry: MessageType): string {
    return this.add(mapKeyReader(entry) satisfies ReadKey)
  }

  declarations(): string {
    return this.values.map((_, i) => `const k${i} = constants[${i}];`).join(' ')
  }
}

export interface StructReader {
  readonly schema: Schema
  /**
   * Reads the message from `start` to `end` as a struct. Throws DataError: `PROTOBUF_DECODE` for malformed bytes and a missing
   * required field, `PROTOBUF_STRUCT` for a value that its Connect type cannot hold, `PROTOBUF_JSON` as JsonWriter.
   */
  readonly read: (bytes: Buffer, start: number, end: number) => unknown
}

/** Makes the Connect schema of a message type, and the reader of its messages as structs. Throws ConfigError GRPC_STRUCT. */
export function structReader(type: MessageType, options: StructOptions & JsonOptions): StructReader {
  const compiler = new StructCompiler(type, options)
  const { schema } = compiler.plans.planOf(type)
  const reader = compiler.readerOf(type, 'plain')
  return { schema, read: (bytes, start, end) => reader.read(bytes, start, end, null, 0) }
}
