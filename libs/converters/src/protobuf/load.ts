import type protobufjs from 'protobufjs'
import { converterErrors } from '../errors.ts'
import { textOf } from './descriptor.ts'
import { addKnownFile } from './known-files.ts'
import type { ProtoEnum, ProtoField, ProtoFile, ProtoMessage, ScalarType } from './model.ts'
import { toMapEntry } from './names.ts'

let library: typeof protobufjs | undefined

/** protobufjs is loaded when a converter needs it first, so that who needs none pays nothing. */
export async function loadProtobufjs(): Promise<void> {
  library ??= (await import('protobufjs')).default
}
export function isProtobufjsLoaded(): boolean {
  return library !== undefined
}

/** In characters, all referenced files together. A registry may hold anything. */
const MAX_TEXT = 1_000_000

export interface ProtoText {
  /** The name by which others import it. */
  readonly name: string
  readonly text: string
}

/**
 * Parses and links a .proto file. `references`: the files that it imports, and those that these import. Throws DataError
 * `CONVERTER_BAD_SCHEMA`. `loadProtobufjs` must have ended.
 */
export function loadProto(text: string, references: readonly ProtoText[]): ProtoFile {
  const pb = library!
  const length = references.reduce((sum, file) => sum + file.text.length, text.length)
  if (length > MAX_TEXT) throw badSchema(`it has ${length} characters, more than ${MAX_TEXT}`)
  const root = new pb.Root()
  try {
    const texts = references.map(({ name, text: other }) => ({ name, text: textOf(other) }))
    const own = addFile(pb, root, textOf(text), texts)
    root.resolveAll()
    const { package: name } = own
    const namespace = name ? root.lookup(name) : root
    const link = new Linker(pb)
    return { messages: link.messagesOf(namespace as protobufjs.NamespaceBase, own.declared) }
  } catch (error) {
    throw badSchema(error instanceof Error ? error.message : String(error), error)
  }
}

interface OwnFile {
  readonly package: string | undefined
  readonly declared: readonly string[]
}

function addFile(
  pb: typeof protobufjs,
  root: protobufjs.Root,
  text: string,
  references: readonly ProtoText[],
): OwnFile {
  const added = new Set<string>()
  const importsOf = (imports: readonly string[] | undefined): void => {
    for (const name of imports ?? []) {
      const file = references.find((candidate) => candidate.name === name)
      if (file === undefined) {
        if (!addKnownFile(pb, root, name, added)) throw new Error(`it imports ${name}, to which it has no reference`)
      } else if (!added.has(name)) {
        added.add(name)
        const parsed = pb.parse(file.text, root, { keepCase: true })
        importsOf(parsed.imports)
        importsOf(parsed.weakImports)
      }
    }
  }
  // In a root of its own first, to know which messages it declares: others may share its package.
  const alone = pb.parse(text, new pb.Root(), { keepCase: true })
  const namespace = alone.package ? alone.root.lookup(alone.package) : alone.root
  const declared = (namespace as protobufjs.NamespaceBase).nestedArray
    .filter((nested) => nested instanceof pb.Type)
    .map((nested) => nested.name)
  const parsed = pb.parse(text, root, { keepCase: true })
  importsOf(parsed.imports)
  importsOf(parsed.weakImports)
  return { package: parsed.package, declared }
}

/** protobufjs' reflection to the model. Every message is converted once, so that one may contain itself. */
class Linker {
  readonly #pb: typeof protobufjs
  readonly #messages = new Map<protobufjs.Type, ProtoMessage>()
  readonly #enums = new Map<protobufjs.Enum, ProtoEnum>()

  constructor(pb: typeof protobufjs) {
    this.#pb = pb
  }

  messagesOf(namespace: protobufjs.NamespaceBase, only?: readonly string[]): ProtoMessage[] {
    const types = namespace.nestedArray.filter((nested) => nested instanceof this.#pb.Type)
    const wanted = only ? only.map((name) => types.find((type) => type.name === name)!) : types
    return wanted.map((type) => this.#message(type))
  }

  #message(type: protobufjs.Type): ProtoMessage {
    const known = this.#messages.get(type)
    if (known) return known
    const fields: ProtoField[] = []
    const nested: ProtoMessage[] = []
    const oneofs = type.oneofsArray.filter((oneof) => !isSynthetic(oneof)).map((oneof) => oneof.name)
    const message: ProtoMessage = { name: type.name, fullName: type.fullName.slice(1), fields, oneofs, nested }
    this.#messages.set(type, message)
    for (const field of type.fieldsArray)
      fields.push(field instanceof this.#pb.MapField ? this.#map(type, field) : this.#field(field))
    nested.push(...this.messagesOf(type))
    return message
  }

  #field(field: protobufjs.Field): ProtoField {
    const { resolvedType } = field
    const message = resolvedType instanceof this.#pb.Type ? this.#message(resolvedType) : null
    const enumType = resolvedType instanceof this.#pb.Enum ? this.#enum(resolvedType) : null
    const type = message ? (field.delimited ? 'group' : 'message') : enumType ? 'enum' : (field.type as ScalarType)
    const options = (field.options ?? {}) as Record<string, unknown>
    const proto3Optional = options['proto3_optional'] === true
    const oneof = field.partOf && !proto3Optional ? field.partOf.name : null
    const presence = !field.repeated && (message !== null || Boolean(field.hasPresence))
    const proto2Optional = presence && !message && !field.required && oneof === null
    return {
      name: field.name,
      number: field.id,
      type,
      repeated: field.repeated,
      packed: field.repeated && field.packed,
      optional: proto3Optional ? 'proto3' : proto2Optional ? 'proto2' : null,
      presence,
      oneof,
      declaredDefault: options['default'] === undefined ? undefined : field.typeDefault,
      params: paramsOf(field),
      message,
      enum: enumType,
    }
  }

  /** A field of `map<k, v>` is a repeated message with the fields `key` and `value`. */
  #map(parent: protobufjs.Type, field: protobufjs.MapField): ProtoField {
    const value = {
      ...this.#field(field as unknown as protobufjs.Field),
      name: 'value',
      number: 2,
      repeated: false,
      packed: false,
      oneof: null,
      params: NONE,
    }
    const key: ProtoField = { ...SCALAR, name: 'key', number: 1, type: field.keyType as ScalarType }
    const name = toMapEntry(field.name)
    const fullName = `${parent.fullName.slice(1)}.${name}`
    const entry: ProtoMessage = { name, fullName, fields: [key, { ...value, presence: false }], oneofs: [], nested: [] }
    return {
      ...SCALAR,
      name: field.name,
      number: field.id,
      type: 'message',
      repeated: true,
      presence: false,
      message: entry,
    }
  }

  #enum(type: protobufjs.Enum): ProtoEnum {
    let known = this.#enums.get(type)
    if (known === undefined) {
      known = { name: type.name, fullName: type.fullName.slice(1), values: Object.entries(type.values) }
      this.#enums.set(type, known)
    }
    return known
  }
}

const NONE: ReadonlyMap<string, string> = new Map()
const SCALAR: Omit<ProtoField, 'name' | 'number' | 'type'> = {
  repeated: false,
  packed: false,
  optional: null,
  presence: false,
  oneof: null,
  declaredDefault: undefined,
  params: NONE,
  message: null,
  enum: null,
}

function isSynthetic(oneof: protobufjs.OneOf): boolean {
  return oneof.fieldsArray.some((field) => field.options?.['proto3_optional'] === true)
}

const META = '(confluent.field_meta)'

/** `[(confluent.field_meta) = {params: [{key: "a", value: "b"}]}]`, or `(confluent.field_meta).params = {…}`. */
function paramsOf(field: protobufjs.Field): ReadonlyMap<string, string> {
  const parsed = (field as { parsedOptions?: readonly Record<string, unknown>[] | null }).parsedOptions
  if (!parsed) return NONE
  const params = new Map<string, string>()
  for (const option of parsed) {
    const meta = option[META] as { params?: unknown } | undefined
    const entries = [meta?.params].flat() as ({ key?: unknown; value?: unknown } | undefined)[]
    for (const entry of entries) {
      if (typeof entry?.key === 'string' && typeof entry.value === 'string') params.set(entry.key, entry.value)
    }
  }
  return params
}

function badSchema(why: string, cause?: unknown): Error {
  const text = why.length > 500 ? `${why.slice(0, 500)}…` : why
  return converterErrors.CONVERTER_BAD_SCHEMA(`A Protobuf schema cannot be read: ${text}`, { cause })
}
