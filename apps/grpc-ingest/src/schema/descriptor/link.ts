import { invalidDescriptor as invalid } from '../model/errors.ts'
import type { EnumType, Field, FieldType, MessageType, Method, Root, Service } from '../model/model.ts'
import { withWellKnown } from './bundled-files.ts'
import { parseDefault } from './default-value.ts'
import type {
  EnumProto,
  FeaturesProto,
  FieldProto,
  FileProto,
  MessageProto,
  ServiceProto,
  Syntax,
} from '../model/file-proto.ts'

/** The resolved features of a file, message or field, with the numbers of FeatureSet. */
export type Features = FeaturesProto

const DEFAULTS: Readonly<Record<Syntax, Features>> = {
  proto2: { fieldPresence: 1, enumType: 2, repeatedFieldEncoding: 2, utf8Validation: 3, messageEncoding: 1 },
  proto3: { fieldPresence: 2, enumType: 1, repeatedFieldEncoding: 1, utf8Validation: 2, messageEncoding: 1 },
  // Editions from 2023 on (protobuf documentation, "Feature Settings for Editions").
  editions: { fieldPresence: 1, enumType: 1, repeatedFieldEncoding: 1, utf8Validation: 2, messageEncoding: 1 },
}

export function fileFeatures(file: FileProto): Features {
  return inherit(DEFAULTS[file.syntax], file.features)
}

/** Features of `outer`, overridden by those that `own` sets. */
export function inherit(outer: Features, own: FeaturesProto): Features {
  return {
    fieldPresence: own.fieldPresence || outer.fieldPresence,
    enumType: own.enumType || outer.enumType,
    repeatedFieldEncoding: own.repeatedFieldEncoding || outer.repeatedFieldEncoding,
    utf8Validation: own.utf8Validation || outer.utf8Validation,
    messageEncoding: own.messageEncoding || outer.messageEncoding,
  }
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** FieldDescriptorProto.Type, 1 to 18. */
const TYPES: readonly FieldType[] = [
  'double', 'float', 'int64', 'uint64', 'int32', 'fixed64', 'fixed32', 'bool', 'string', 'group', 'message', 'bytes',
  'uint32', 'enum', 'sfixed32', 'sfixed64', 'sint32', 'sint64',
] // prettier-ignore
const MAP_KEYS: readonly FieldType[] = TYPES.filter(
  (t) => !['double', 'float', 'bytes', 'enum', 'message', 'group'].includes(t),
)
const REQUIRED = 2
const REPEATED = 3
const MAX_NUMBER = 536_870_911 // 2^29 - 1
const OPTIONS = /(^|\.)google\.protobuf\.\w+Options$/

/**
 * Links files, given in any order, into one schema. Adds the well-known types that are missing. Throws ConfigError on
 * `grpc.proto.descriptor`, with the texts of protobuf-java where it has them (`"x" is not defined.`).
 */
export function link(files: readonly FileProto[], origin: Root['origin']): Root {
  return new Linker(withWellKnown(files)).link(origin)
}

/** A schema with more files; a file of a name that it has is left out. Throws like `link`. */
export function withFiles(root: Root, more: readonly FileProto[]): Root {
  const names = new Set(root.files.map((file) => file.name))
  return link([...root.files, ...more.filter((file) => !names.has(file.name))], root.origin)
}

interface Scope {
  readonly file: FileProto
  /** Full name of the package or message around the declaration; '' for none. */
  readonly name: string
  readonly features: Features
}

class Linker {
  readonly #files: readonly FileProto[]
  readonly #fileOf = new Map<string, string>()
  readonly #messages = new Map<string, Mutable<MessageType>>()
  readonly #enums = new Map<string, EnumType>()
  readonly #services = new Map<string, Service>()
  readonly #fieldsOf = new Map<MessageType, Map<number, Field>>()
  /** Work on fields, extensions and methods, which is done when all names are known. */
  readonly #later: (() => void)[] = []

  constructor(files: readonly FileProto[]) {
    this.#files = files
  }

  link(origin: Root['origin']): Root {
    for (const file of this.#files) this.#declareFile(file)
    for (const work of this.#later) work()
    for (const message of this.#messages.values()) {
      message.fields = [...this.#fieldsOf.get(message)!.values()].sort((a, b) => a.number - b.number)
      if (message.mapEntry) checkMapEntry(message)
    }
    return {
      origin,
      files: this.#files,
      messages: this.#messages,
      enums: this.#enums,
      services: this.#services,
    }
  }

  #declareFile(file: FileProto): void {
    const scope: Scope = { file, name: file.package, features: fileFeatures(file) }
    if (file.package !== '') file.package.split('.').forEach((part) => this.#checkName(part, file.package))
    file.messageType.forEach((m) => this.#declareMessage(m, scope))
    file.enumType.forEach((e) => this.#declareEnum(e, scope))
    file.service.forEach((s) => this.#declareService(s, scope))
    file.extension.forEach((e) => this.#declareExtension(e, scope))
  }

  #declareMessage(proto: MessageProto, outer: Scope): void {
    const fullName = this.#declare(proto.name, outer)
    const scope: Scope = { file: outer.file, name: fullName, features: inherit(outer.features, proto.features) }
    const message: Mutable<MessageType> = { fullName, fields: [], mapEntry: proto.mapEntry, types: this.#messages }
    this.#fieldsOf.set(message, new Map())
    this.#messages.set(fullName, message)
    proto.nestedType.forEach((m) => this.#declareMessage(m, scope))
    proto.enumType.forEach((e) => this.#declareEnum(e, scope))
    proto.extension.forEach((e) => this.#declareExtension(e, scope))
    this.#later.push(() => {
      const names = new Set<string>()
      for (const f of proto.field) {
        const field = this.#linkField(f, scope, proto)
        if (names.has(f.name)) throw invalid(field.fullName, `"${f.name}" is already defined in "${fullName}".`)
        names.add(f.name)
        this.#addField(message, field)
      }
    })
  }

  #declareExtension(proto: FieldProto, scope: Scope): void {
    // Custom options do not occur in messages, and their file is often missing in a set.
    if (OPTIONS.test(proto.extendee)) return
    // Only a message set, which no field can be read from, has such numbers.
    if (proto.number > MAX_NUMBER) return
    this.#later.push(() => {
      const field = this.#linkField(proto, scope, null)
      const extended = this.#messages.get(this.#resolve(proto.extendee, scope, field.fullName))
      if (!extended) throw invalid(field.fullName, `"${proto.extendee}" is not a message type.`)
      this.#addField(extended, field)
    })
  }

  #addField(message: MessageType, field: Field): void {
    const fields = this.#fieldsOf.get(message)!
    const same = fields.get(field.number)
    if (same) {
      throw invalid(
        field.fullName,
        `Field number ${field.number} has already been used in "${message.fullName}" by field "${same.name}".`,
      )
    }
    fields.set(field.number, field)
  }

  #declareEnum(proto: EnumProto, scope: Scope): void {
    const fullName = this.#declare(proto.name, scope)
    const first = proto.value[0]
    if (!first) throw invalid(fullName, 'Enums must contain at least one value.')
    const nameOf = new Map<number, string>()
    const numberOf = new Map<string, number>()
    for (const { name, number } of proto.value) {
      this.#checkName(name, fullName)
      if (numberOf.has(name)) throw invalid(fullName, `"${name}" is already defined.`)
      numberOf.set(name, number)
      if (!nameOf.has(number)) nameOf.set(number, name)
    }
    const closed = inherit(scope.features, proto.features).enumType === 2
    this.#enums.set(fullName, { fullName, closed, nameOf, numberOf, defaultNumber: first.number })
  }

  #declareService(proto: ServiceProto, scope: Scope): void {
    const fullName = this.#declare(proto.name, scope)
    const methods = new Map<string, Method>()
    this.#services.set(fullName, { fullName, methods })
    this.#later.push(() => {
      for (const m of proto.method) {
        this.#checkName(m.name, fullName)
        methods.set(m.name, {
          name: m.name,
          requestType: this.#messageOf(m.inputType, scope, `${fullName}.${m.name}`),
          responseType: this.#messageOf(m.outputType, scope, `${fullName}.${m.name}`),
          clientStreaming: m.clientStreaming,
          serverStreaming: m.serverStreaming,
        })
      }
    })
  }

  #linkField(proto: FieldProto, scope: Scope, parent: MessageProto | null): Field {
    const fullName = scope.name === '' ? proto.name : `${scope.name}.${proto.name}`
    this.#checkName(proto.name, fullName)
    if (proto.number < 1 || proto.number > MAX_NUMBER)
      throw invalid(fullName, 'Field numbers must be positive integers.')
    const oneof = proto.oneofIndex === null || parent === null ? null : parent.oneofDecl[proto.oneofIndex]
    if (oneof === undefined)
      throw invalid(fullName, `FieldDescriptorProto.oneof_index is out of range for "${scope.name}".`)
    const inherited = oneof ? inherit(scope.features, oneof.features) : scope.features
    const features = inherit(inherited, proto.features)
    const { type, messageType, enumType } = this.#typeOf(proto, scope, fullName, features)
    const repeated = proto.label === REPEATED
    if (repeated && oneof) throw invalid(fullName, `it is repeated and in oneof "${oneof.name}".`)
    const isMessage = messageType !== null
    if (messageType?.mapEntry === true && (!repeated || type !== 'message')) {
      throw invalid(fullName, `"${messageType.fullName}" is a map's entry and the field is no map.`)
    }
    const presence =
      !repeated &&
      (isMessage || oneof !== null || proto.proto3Optional || parent === null || features.fieldPresence !== 2)
    const scalar = !isMessage && type !== 'string' && type !== 'bytes'
    return {
      name: proto.name,
      // The brackets are those of protobuf's JSON mapping: the bare name may also be that of a field of the message.
      jsonName: parent === null ? `[${fullName}]` : proto.jsonName === '' ? jsonNameOf(proto.name) : proto.jsonName,
      fullName,
      number: proto.number,
      type,
      repeated,
      required: proto.label === REQUIRED || features.fieldPresence === 3,
      presence,
      omitUnset:
        parent === null ||
        (presence && (isMessage || oneof !== null || proto.proto3Optional || scope.file.syntax === 'editions')),
      packed: repeated && scalar && (proto.packed ?? features.repeatedFieldEncoding === 1),
      // protobuf-java always checks the strings of maps (FieldDescriptor.needsUtf8Check).
      validateUtf8: features.utf8Validation === 2 || scope.file.checkUtf8 || parent?.mapEntry === true,
      closed: enumType?.closed === true,
      defaultValue: parseDefault(type, proto.defaultValue, enumType, fullName),
      oneof: oneof && !proto.proto3Optional ? oneof.name : null,
      extension: parent === null,
      messageType,
      enumType,
    }
  }

  #typeOf(
    proto: FieldProto,
    scope: Scope,
    fullName: string,
    features: Features,
  ): { type: FieldType; messageType: MessageType | null; enumType: EnumType | null } {
    const declared = proto.type === 0 ? undefined : TYPES[proto.type - 1]
    if (declared === undefined && (proto.type !== 0 || proto.typeName === '')) {
      throw invalid(fullName, `Field has no known type (${proto.type}).`)
    }
    const named = declared === undefined || declared === 'message' || declared === 'group' || declared === 'enum'
    if (!named) return { type: declared, messageType: null, enumType: null }
    const name = this.#resolve(proto.typeName, scope, fullName)
    const messageType = this.#messages.get(name) ?? null
    const enumType = this.#enums.get(name) ?? null
    if (declared !== undefined && (declared === 'enum') !== (enumType !== null)) {
      throw invalid(fullName, `"${proto.typeName}" is not ${declared === 'enum' ? 'an enum' : 'a message'} type.`)
    }
    if (!messageType && !enumType) throw invalid(fullName, `"${proto.typeName}" is not a type.`)
    if (enumType) return { type: 'enum', messageType, enumType }
    const delimited = declared === 'group' || (features.messageEncoding === 2 && messageType?.mapEntry === false)
    return { type: delimited ? 'group' : 'message', messageType, enumType }
  }

  #messageOf(name: string, scope: Scope, user: string): MessageType {
    const message = this.#messages.get(this.#resolve(name, scope, user))
    if (!message || message.mapEntry) throw invalid(user, `"${name}" is not a message type.`)
    return message
  }

  /**
   * The full name of a type. A name with a leading dot is complete; any other is looked up from the innermost scope
   * outwards.
   */
  #resolve(name: string, scope: Scope, user: string): string {
    if (name.startsWith('.')) {
      if (this.#fileOf.has(name.slice(1))) return name.slice(1)
    } else {
      for (let outer = scope.name; ; outer = outer.slice(0, Math.max(outer.lastIndexOf('.'), 0))) {
        const candidate = outer === '' ? name : `${outer}.${name}`
        if (this.#fileOf.has(candidate)) return candidate
        if (outer === '') break
      }
    }
    const missing = scope.file.dependency.filter((d) => !this.#files.some((f) => f.name === d))
    const advice =
      missing.length === 0
        ? ''
        : ` "${scope.file.name}" imports ${missing.map((d) => `"${d}"`).join(', ')}, which the descriptor does not contain:` +
          ' build it with protoc --include_imports.'
    throw invalid(user, `"${name}" is not defined.${advice}`)
  }

  #declare(name: string, scope: Scope): string {
    const fullName = scope.name === '' ? name : `${scope.name}.${name}`
    this.#checkName(name, fullName)
    const other = this.#fileOf.get(fullName)
    if (other !== undefined) throw invalid(fullName, `"${name}" is already defined in file "${other}".`)
    this.#fileOf.set(fullName, scope.file.name)
    return fullName
  }

  #checkName(name: string, where: string): void {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw invalid(where, `"${name}" is not a valid identifier.`)
  }
}

function checkMapEntry(message: MessageType): void {
  const [key, value, more] = message.fields
  const ok =
    key?.number === 1 && value?.number === 2 && !more && [key, value].every((f) => !f.repeated && f.oneof === null)
  if (!ok || !MAP_KEYS.includes(key.type)) throw invalid(message.fullName, 'Map entry without a key 1 and a value 2.')
}

/** The rule of protoc: underscores are removed, and the letter after one becomes upper case. */
function jsonNameOf(name: string): string {
  return name.replace(/_+([a-z]?)/g, (_, letter: string) => letter.toUpperCase())
}
