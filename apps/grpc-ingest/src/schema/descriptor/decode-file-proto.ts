import { decodeError, LEN, MAX_DEPTH, tooDeep, VARINT, WireReader } from '../wire/wire.ts'
import type {
  EnumProto,
  FeaturesProto,
  FieldProto,
  FileProto,
  MessageProto,
  MethodProto,
  OneofProto,
  ServiceProto,
  Syntax,
} from '../model/file-proto.ts'

/** Decodes a binary FileDescriptorSet. Throws DataError for malformed input. */
export function decodeFileSet(bytes: Uint8Array): FileProto[] {
  return new Fields(bytes).messages(1).map(decodeFile)
}

/** Decodes a binary FileDescriptorProto, as server reflection sends it. Throws DataError for malformed input. */
export function decodeFile(bytes: Uint8Array): FileProto {
  const f = new Fields(bytes)
  const options = new Fields(f.merged(8))
  return {
    name: f.text(1),
    package: f.text(2),
    dependency: f.texts(3),
    messageType: f.messages(4).map((m) => decodeMessage(m, 0)),
    enumType: f.messages(5).map(decodeEnum),
    service: f.messages(6).map(decodeService),
    extension: f.messages(7).map(decodeField),
    syntax: syntaxOf(f.text(12)),
    features: decodeFeatures(options.merged(50)),
    checkUtf8: options.number(27) !== 0,
  }
}

function syntaxOf(text: string): Syntax {
  if (text === '' || text === 'proto2') return 'proto2'
  if (text === 'proto3' || text === 'editions') return text
  throw decodeError(`syntax "${text.slice(0, 40)}" of a file`)
}

function decodeMessage(bytes: Uint8Array, depth: number): MessageProto {
  if (depth > MAX_DEPTH) throw tooDeep()
  const f = new Fields(bytes)
  const options = new Fields(f.merged(7))
  return {
    name: f.text(1),
    field: f.messages(2).map(decodeField),
    nestedType: f.messages(3).map((m) => decodeMessage(m, depth + 1)),
    enumType: f.messages(4).map(decodeEnum),
    extension: f.messages(6).map(decodeField),
    oneofDecl: f.messages(8).map(decodeOneof),
    mapEntry: options.number(7) !== 0,
    features: decodeFeatures(options.merged(12)),
  }
}

function decodeField(bytes: Uint8Array): FieldProto {
  const f = new Fields(bytes)
  const options = new Fields(f.merged(8))
  return {
    name: f.text(1),
    extendee: f.text(2),
    number: f.number(3) | 0,
    label: f.number(4),
    type: f.number(5),
    typeName: f.text(6),
    defaultValue: f.has(7) ? f.text(7) : null,
    oneofIndex: f.has(9) ? f.number(9) : null,
    jsonName: f.text(10),
    proto3Optional: f.number(17) !== 0,
    packed: options.has(2) ? options.number(2) !== 0 : null,
    features: decodeFeatures(options.merged(21)),
  }
}

function decodeOneof(bytes: Uint8Array): OneofProto {
  const f = new Fields(bytes)
  return { name: f.text(1), features: decodeFeatures(new Fields(f.merged(2)).merged(1)) }
}

function decodeEnum(bytes: Uint8Array): EnumProto {
  const f = new Fields(bytes)
  const value = f.messages(2).map((v) => {
    const g = new Fields(v)
    return { name: g.text(1), number: g.number(2) | 0 }
  })
  return { name: f.text(1), value, features: decodeFeatures(new Fields(f.merged(3)).merged(7)) }
}

function decodeService(bytes: Uint8Array): ServiceProto {
  const f = new Fields(bytes)
  return { name: f.text(1), method: f.messages(2).map(decodeMethod) }
}

function decodeMethod(bytes: Uint8Array): MethodProto {
  const f = new Fields(bytes)
  return {
    name: f.text(1),
    inputType: f.text(2),
    outputType: f.text(3),
    clientStreaming: f.number(5) !== 0,
    serverStreaming: f.number(6) !== 0,
  }
}

function decodeFeatures(bytes: Uint8Array): FeaturesProto {
  const f = new Fields(bytes)
  return {
    fieldPresence: f.number(1),
    enumType: f.number(2),
    repeatedFieldEncoding: f.number(3),
    utf8Validation: f.number(4),
    messageEncoding: f.number(5),
  }
}

const EMPTY = new Uint8Array(0)

/**
 * The varint and length-delimited fields of a message, by number. Descriptors have no fields of other wire types; these
 * are skipped.
 */
class Fields {
  readonly #numbers = new Map<number, number>()
  readonly #chunks = new Map<number, Uint8Array[]>()

  constructor(bytes: Uint8Array) {
    const reader = new WireReader(bytes)
    while (reader.more) {
      const tag = reader.tag()
      if ((tag & 7) === VARINT) this.#numbers.set(tag >>> 3, reader.uint32())
      else if ((tag & 7) === LEN) this.#add(tag >>> 3, reader.view())
      else reader.skip(tag)
    }
  }

  #add(number: number, chunk: Uint8Array): void {
    const chunks = this.#chunks.get(number)
    if (chunks) chunks.push(chunk)
    else this.#chunks.set(number, [chunk])
  }

  has(number: number): boolean {
    return this.#numbers.has(number) || this.#chunks.has(number)
  }
  /** The value of a varint field; 0 when it is unset. */
  number(number: number): number {
    return this.#numbers.get(number) ?? 0
  }
  messages(number: number): readonly Uint8Array[] {
    return this.#chunks.get(number) ?? []
  }
  texts(number: number): string[] {
    return this.messages(number).map((c) => Buffer.from(c.buffer, c.byteOffset, c.length).toString('utf8'))
  }
  text(number: number): string {
    return this.texts(number).at(-1) ?? ''
  }
  /** The bytes of a singular message field: its occurrences joined, which is how protobuf merges them. */
  merged(number: number): Uint8Array {
    const chunks = this.messages(number)
    return chunks.length < 2 ? (chunks[0] ?? EMPTY) : Buffer.concat(chunks)
  }
}
