import type {
  EnumProto,
  FieldProto,
  FileProto,
  MessageProto,
  MethodProto,
  OneofProto,
  ServiceProto,
  Syntax,
} from '../model/file-proto.ts'
import {
  featuresOf,
  MAX_NESTING,
  type Options,
  parseFieldOptions,
  parseOption,
  parseString,
  parseTypeName,
} from './proto-options.ts'
import { entryName, fieldProto, integerOf, mapEntry, SCALARS } from './proto-field.ts'
import { ProtoTokens } from './proto-tokens.ts'

const GROUP = 10
const MESSAGE = 11
const LABELS: Readonly<Record<string, number>> = { optional: 1, required: 2, repeated: 3 }

/**
 * Parses .proto text to the form of a binary descriptor (protobuf documentation, "Language Specification"). Type names
 * stay as written; `link` resolves them. Throws ConfigError on `grpc.proto.descriptor`, with the line.
 */
export function parseProto(text: string, name: string): FileProto {
  return new ProtoParser(text, name).file()
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] extends readonly (infer E)[] ? E[] : T[K] }
type Scope = Pick<Mutable<MessageProto>, 'nestedType' | 'enumType' | 'extension'>

class ProtoParser {
  readonly #tokens: ProtoTokens
  readonly #name: string
  #syntax: Syntax = 'proto2'

  constructor(text: string, name: string) {
    this.#tokens = new ProtoTokens(text, name)
    this.#name = name
  }

  file(): FileProto {
    const tokens = this.#tokens
    const options: Options = new Map()
    const dependency: string[] = []
    const service: ServiceProto[] = []
    const top: Scope = { nestedType: [], enumType: [], extension: [] }
    let pkg = ''
    this.#syntaxStatement()
    while (tokens.peek.kind !== 'end') {
      if (tokens.skip(';')) continue
      if (tokens.skip('import')) {
        const [name, kind] = this.#import()
        if (kind !== 'option') dependency.push(name)
      } else if (tokens.skip('package')) {
        pkg = parseTypeName(tokens)
        tokens.expect(';')
      } else if (tokens.skip('option')) this.#option(options)
      else if (tokens.skip('service')) service.push(this.#service())
      else if (!this.#declaration(top, 0)) throw tokens.unexpected('a declaration')
    }
    return {
      name: this.#name,
      package: pkg,
      dependency,
      messageType: top.nestedType,
      enumType: top.enumType,
      service,
      extension: top.extension,
      syntax: this.#syntax,
      features: featuresOf(options),
      checkUtf8: options.get('java_string_check_utf8') === 'true',
    }
  }

  #syntaxStatement(): void {
    const tokens = this.#tokens
    while (tokens.skip(';'));
    const edition = tokens.skip('edition')
    if (!edition && !tokens.skip('syntax')) return
    tokens.expect('=')
    const value = parseString(tokens).toString()
    tokens.expect(';')
    if (!edition && value !== 'proto2' && value !== 'proto3')
      throw tokens.error(`unknown syntax "${value.slice(0, 60)}"`)
    this.#syntax = edition ? 'editions' : (value as Syntax)
  }

  #import(): [name: string, kind: string] {
    const tokens = this.#tokens
    const kind = tokens.peek.kind === 'name' ? tokens.take().text : ''
    const name = parseString(tokens).toString()
    tokens.expect(';')
    return [name, kind]
  }

  #option(options: Options): void {
    parseOption(this.#tokens, options)
    this.#tokens.expect(';')
  }

  /** A message, an enum or extensions, if there is one. */
  #declaration(scope: Scope, depth: number): boolean {
    const tokens = this.#tokens
    // Visibility, of edition 2024
    if (!tokens.skip('export')) tokens.skip('local')
    if (tokens.skip('message')) scope.nestedType.push(this.#message(this.#identifier(), depth))
    else if (tokens.skip('enum')) scope.enumType.push(this.#enum())
    else if (tokens.skip('extend')) this.#extend(scope, depth)
    else return false
    return true
  }

  #identifier(): string {
    return this.#tokens.takeKind('name', 'a name')
  }

  /** After its name. */
  #message(name: string, depth: number): MessageProto {
    const tokens = this.#tokens
    if (depth > MAX_NESTING) throw tokens.error(`messages nest deeper than ${MAX_NESTING}`)
    const options: Options = new Map()
    const message = {
      name,
      field: [] as FieldProto[],
      extension: [] as FieldProto[],
      nestedType: [] as MessageProto[],
      enumType: [] as EnumProto[],
      oneofDecl: [] as OneofProto[],
      mapEntry: false,
    }
    tokens.expect('{')
    while (!tokens.skip('}')) {
      if (tokens.skip(';')) continue
      if (tokens.skip('option')) this.#option(options)
      else if (tokens.skip('oneof')) this.#oneof(message, depth)
      else if (tokens.skip('extensions') || tokens.skip('reserved')) this.#ranges()
      else if (!this.#declaration(message, depth + 1)) message.field.push(this.#field(message, depth, {}))
    }
    return { ...message, features: featuresOf(options) }
  }

  /** Ranges and their options, which nothing needs. */
  #ranges(): void {
    const tokens = this.#tokens
    while (!tokens.skip(';')) {
      if (tokens.peek.text === '[' && tokens.peek.kind === 'symbol') parseFieldOptions(tokens)
      else if (tokens.peek.kind === 'end') throw tokens.unexpected('";"')
      else tokens.take()
    }
  }

  #oneof(message: Mutable<Omit<MessageProto, 'features'>>, depth: number): void {
    const tokens = this.#tokens
    const options: Options = new Map()
    const oneofIndex = message.oneofDecl.length
    const oneof: Mutable<OneofProto> = { name: this.#identifier(), features: featuresOf(options) }
    message.oneofDecl.push(oneof)
    tokens.expect('{')
    while (!tokens.skip('}')) {
      if (tokens.skip(';')) continue
      if (tokens.skip('option')) this.#option(options)
      else message.field.push(this.#field(message, depth, { oneofIndex }))
    }
    oneof.features = featuresOf(options)
  }

  #extend(scope: Scope, depth: number): void {
    const tokens = this.#tokens
    const extendee = parseTypeName(tokens)
    tokens.expect('{')
    while (!tokens.skip('}')) {
      if (!tokens.skip(';')) scope.extension.push(this.#field(scope, depth, { extendee }))
    }
  }

  /** `scope` gets the type of a group and of the entries of a map. */
  #field(scope: Scope, depth: number, place: { oneofIndex?: number; extendee?: string }): FieldProto {
    const tokens = this.#tokens
    const label = Object.hasOwn(LABELS, tokens.peek.text) ? tokens.take().text : null
    if (tokens.peek.text === 'map' && label === null) {
      const map = this.#map(scope)
      if (map !== null) return map
    }
    if (label === null && this.#syntax === 'proto2' && place.oneofIndex === undefined) {
      throw tokens.unexpected('a label, which proto2 needs (or does the text lack syntax = "proto3";)')
    }
    const type = parseTypeName(tokens)
    if (type === 'group') return this.#group(scope, depth, label, place)
    return this.#fieldOf(type, label, place)
  }

  /** After the type of a field. */
  #fieldOf(type: string, label: string | null, place: { oneofIndex?: number; extendee?: string }): FieldProto {
    const tokens = this.#tokens
    const scalar = Object.hasOwn(SCALARS, type) ? SCALARS[type] : undefined
    const name = this.#identifier()
    const number = this.#number()
    const options = parseFieldOptions(tokens)
    tokens.expect(';')
    return fieldProto(name, number, options, {
      ...place,
      label: LABELS[label ?? 'optional'] ?? 1,
      type: scalar ?? 0,
      typeName: scalar === undefined ? type : '',
      proto3Optional: label === 'optional' && this.#syntax === 'proto3',
    })
  }

  #group(
    scope: Scope,
    depth: number,
    label: string | null,
    place: { oneofIndex?: number; extendee?: string },
  ): FieldProto {
    const name = this.#identifier()
    const number = this.#number()
    const options = parseFieldOptions(this.#tokens)
    scope.nestedType.push(this.#message(name, depth + 1))
    // protoc names the field of a group by its type in lower case.
    return fieldProto(name.toLowerCase(), number, options, {
      ...place,
      label: LABELS[label ?? 'optional'] ?? 1,
      type: GROUP,
      typeName: name,
    })
  }

  /** null: `map` is the name of a message type here. */
  #map(scope: Scope): FieldProto | null {
    const tokens = this.#tokens
    tokens.expect('map')
    if (!tokens.skip('<')) return this.#fieldOf(`map${tokens.skip('.') ? `.${parseTypeName(tokens)}` : ''}`, null, {})
    const keyType = tokens.takeKind('name', 'the type of the keys')
    tokens.expect(',')
    const valueType = parseTypeName(tokens)
    tokens.expect('>')
    const name = this.#identifier()
    const number = this.#number()
    const options = parseFieldOptions(tokens)
    tokens.expect(';')
    scope.nestedType.push(mapEntry(name, keyType, valueType, options))
    return fieldProto(name, number, options, { label: 3, type: MESSAGE, typeName: entryName(name) })
  }

  /** `= 5` */
  #number(): number {
    this.#tokens.expect('=')
    return this.#integer()
  }

  #integer(): number {
    const tokens = this.#tokens
    const sign = tokens.skip('-') ? -1 : 1
    if (tokens.peek.kind !== 'number') throw tokens.unexpected('a number')
    const value = integerOf(tokens.peek.text)
    if (value === null) throw tokens.unexpected('a whole number')
    tokens.take()
    return sign * Number(value)
  }

  #enum(): EnumProto {
    const tokens = this.#tokens
    const name = this.#identifier()
    const options: Options = new Map()
    const value: { name: string; number: number }[] = []
    tokens.expect('{')
    while (!tokens.skip('}')) {
      if (tokens.skip(';')) continue
      if (tokens.skip('option')) this.#option(options)
      else if (tokens.skip('reserved')) this.#ranges()
      else {
        const named = this.#identifier()
        value.push({ name: named, number: this.#number() })
        parseFieldOptions(tokens)
        tokens.expect(';')
      }
    }
    return { name, value, features: featuresOf(options) }
  }

  #service(): ServiceProto {
    const tokens = this.#tokens
    const name = this.#identifier()
    const method: MethodProto[] = []
    tokens.expect('{')
    while (!tokens.skip('}')) {
      if (tokens.skip(';')) continue
      if (tokens.skip('option')) this.#option(new Map())
      else if (tokens.skip('rpc')) method.push(this.#method())
      else throw tokens.unexpected('"rpc"')
    }
    return { name, method }
  }

  #method(): MethodProto {
    const tokens = this.#tokens
    const name = this.#identifier()
    const [inputType, clientStreaming] = this.#methodType()
    tokens.expect('returns')
    const [outputType, serverStreaming] = this.#methodType()
    if (!tokens.skip(';')) {
      tokens.expect('{')
      while (!tokens.skip('}')) {
        if (tokens.skip(';')) continue
        tokens.expect('option')
        this.#option(new Map())
      }
    }
    return { name, inputType, outputType, clientStreaming, serverStreaming }
  }

  /** `(Type)`, `(stream Type)`. A type may be named `stream`, too. */
  #methodType(): [type: string, streaming: boolean] {
    const tokens = this.#tokens
    tokens.expect('(')
    const streaming = tokens.skip('stream')
    if (streaming && tokens.skip(')')) return ['stream', false]
    const type = parseTypeName(tokens)
    tokens.expect(')')
    return [type, streaming]
  }
}
