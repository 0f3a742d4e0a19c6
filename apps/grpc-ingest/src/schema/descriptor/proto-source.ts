import protobuf from 'protobufjs'
import { descriptorError } from '../model/errors.ts'
import { NO_FEATURES } from '../model/file-proto.ts'
import type {
  EnumProto,
  FeaturesProto,
  FieldProto,
  FileProto,
  MessageProto,
  ServiceProto,
  Syntax,
} from '../model/file-proto.ts'

/**
 * FieldDescriptorProto.Type of the scalar names. The type of a message or an enum stays 0: `link` decides which it is.
 */
const TYPES: Readonly<Record<string, number>> = {
  double: 1, float: 2, int64: 3, uint64: 4, int32: 5, fixed64: 6, fixed32: 7, bool: 8, string: 9, bytes: 12, uint32: 13,
  sfixed32: 15, sfixed64: 16, sint32: 17, sint64: 18,
} // prettier-ignore
const GROUP = 10
const MESSAGE = 11

/**
 * Parses .proto text with the parser of protobufjs and converts its tree to the form of a binary descriptor. Type names
 * stay as written; `link` resolves them. That parser rounds 64-bit defaults above 2^53.
 */
export function parseProto(text: string, name: string): FileProto {
  const root = new protobuf.Root()
  let result: protobuf.IParserResult
  try {
    result = protobuf.parse(text, root, { keepCase: true })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw descriptorError(`Invalid proto descriptor: ${name}: ${why.slice(0, 300)}`, error)
  }
  const syntax = syntaxOf(text)
  const space = result.package === undefined ? root : root.lookup(result.package)
  if (!(space instanceof protobuf.Namespace))
    throw descriptorError(`Invalid proto descriptor: ${name}: no such package`)
  const content = contentOf(space)
  return {
    name,
    package: result.package ?? '',
    dependency: [...(result.imports ?? []), ...(result.weakImports ?? [])],
    messageType: content.types.map(messageOf),
    enumType: content.enums.map(enumOf),
    service: content.services.map(serviceOf),
    extension: content.extensions.map((e) => fieldOf(e, null)),
    syntax,
    // protobufjs passes the features of a file on to its top-level objects.
    features: NO_FEATURES,
    checkUtf8: space.options?.['java_string_check_utf8'] === true,
  }
}

/**
 * The syntax that the first statement declares, which protobufjs does not return. Comments are skipped without a
 * regular expression, so there is no backtracking.
 */
function syntaxOf(text: string): Syntax {
  let at = 0
  for (;;) {
    while (/\s|\uFEFF/.test(text[at] ?? '')) at++
    const close = text.startsWith('//', at) ? '\n' : text.startsWith('/*', at) ? '*/' : null
    if (close === null) break
    const end = text.indexOf(close, at + 2)
    at = end < 0 ? text.length : end + close.length
  }
  const [, word, value] = /^(syntax|edition)\s*=\s*["']([\w.]{1,20})["']/.exec(text.slice(at, at + 200)) ?? []
  return word === 'edition' ? 'editions' : value === 'proto3' ? 'proto3' : 'proto2'
}

interface Content {
  readonly types: protobuf.Type[]
  readonly enums: protobuf.Enum[]
  readonly services: protobuf.Service[]
  readonly extensions: protobuf.Field[]
}

function contentOf(space: protobuf.NamespaceBase): Content {
  const content: Content = { types: [], enums: [], services: [], extensions: [] }
  for (const object of space.nestedArray) {
    if (object instanceof protobuf.Type) content.types.push(object)
    else if (object instanceof protobuf.Enum) content.enums.push(object)
    else if (object instanceof protobuf.Service) content.services.push(object)
    else if (object instanceof protobuf.Field) content.extensions.push(object)
  }
  return content
}

function messageOf(type: protobuf.Type): MessageProto {
  const content = contentOf(type)
  const groups = new Set(content.types.filter((t) => (t as { group?: boolean }).group === true).map((t) => t.name))
  // protobufjs adds a copy of an extension to the type that it extends, when both are in the same file.
  const fields = type.fieldsArray.filter(
    (f) => f.extend === undefined && (f as { declaringField?: unknown }).declaringField == null,
  )
  const oneofs = type.oneofsArray
  return {
    name: type.name,
    field: fields.map((f) => fieldOf(f, type, groups)),
    extension: content.extensions.map((e) => fieldOf(e, null, groups)),
    nestedType: [
      ...content.types.map(messageOf),
      ...fields.filter((f) => f instanceof protobuf.MapField).map(mapEntryOf),
    ],
    enumType: content.enums.map(enumOf),
    oneofDecl: oneofs.map((o) => ({ name: o.name, features: featuresOf(o) })),
    mapEntry: false,
    features: featuresOf(type),
  }
}

function fieldOf(field: protobuf.FieldBase, parent: protobuf.Type | null, groups?: ReadonlySet<string>): FieldProto {
  const options: Record<string, unknown> = field.options ?? {}
  const isMap = field instanceof protobuf.MapField
  const isGroup = groups?.has(field.type) === true && field.name.toLowerCase() === field.type.toLowerCase()
  const scalar = !isMap && Object.hasOwn(TYPES, field.type) ? TYPES[field.type] : undefined
  const rule = (field as { rule?: string }).rule
  const oneofIndex = parent === null || !field.partOf ? -1 : parent.oneofsArray.indexOf(field.partOf)
  const json = options['json_name']
  return {
    // protoc names the field of a group by its type in lower case.
    name: isGroup ? field.name.toLowerCase() : field.name,
    number: field.id,
    label: isMap || rule === 'repeated' ? 3 : rule === 'required' ? 2 : 1,
    type: scalar ?? (isGroup ? GROUP : isMap ? MESSAGE : 0),
    typeName: scalar !== undefined ? '' : isMap ? entryName(field.name) : field.type,
    extendee: field.extend ?? '',
    jsonName: typeof json === 'string' ? json : '',
    defaultValue: options['default'] === undefined ? null : defaultText(options['default']),
    oneofIndex: oneofIndex < 0 ? null : oneofIndex,
    proto3Optional: options['proto3_optional'] === true,
    packed: typeof options['packed'] === 'boolean' ? options['packed'] : null,
    features: featuresOf(field),
  }
}

function defaultText(value: unknown): string {
  if (value === Infinity) return 'inf'
  if (value === -Infinity) return '-inf'
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value).toString()
  return Number.isNaN(value) ? 'nan' : String(value)
}

/** The name of the entry type as protoc makes it: `price_levels` has entries of type `PriceLevelsEntry`. */
function entryName(field: string): string {
  return `${field.replace(/(^|_)([a-z]?)/g, (_, _start, letter: string) => letter.toUpperCase())}Entry`
}

function mapEntryOf(field: protobuf.MapField): MessageProto {
  const base = {
    label: 1,
    extendee: '',
    jsonName: '',
    defaultValue: null,
    oneofIndex: null,
    proto3Optional: false,
  } as const
  const rest = { ...base, packed: null, features: NO_FEATURES }
  const valueType = Object.hasOwn(TYPES, field.type) ? TYPES[field.type]! : 0
  return {
    name: entryName(field.name),
    field: [
      { ...rest, name: 'key', number: 1, type: TYPES[field.keyType] ?? 0, typeName: '' },
      { ...rest, name: 'value', number: 2, type: valueType, typeName: valueType === 0 ? field.type : '' },
    ],
    extension: [],
    nestedType: [],
    enumType: [],
    oneofDecl: [],
    mapEntry: true,
    features: NO_FEATURES,
  }
}

function enumOf(type: protobuf.Enum): EnumProto {
  const value = Object.entries(type.values).map(([name, number]) => ({ name, number }))
  return { name: type.name, value, features: featuresOf(type) }
}

function serviceOf(service: protobuf.Service): ServiceProto {
  const method = service.methodsArray.map((m) => ({
    name: m.name,
    inputType: m.requestType,
    outputType: m.responseType,
    clientStreaming: m.requestStream === true,
    serverStreaming: m.responseStream === true,
  }))
  return { name: service.name, method }
}

/** The names of the values of FeatureSet's enums, at their numbers. */
const FEATURES: Readonly<Record<keyof FeaturesProto, readonly [option: string, ...words: string[]]>> = {
  fieldPresence: ['field_presence', '', 'EXPLICIT', 'IMPLICIT', 'LEGACY_REQUIRED'],
  enumType: ['enum_type', '', 'OPEN', 'CLOSED'],
  repeatedFieldEncoding: ['repeated_field_encoding', '', 'PACKED', 'EXPANDED'],
  utf8Validation: ['utf8_validation', '', '', 'VERIFY', 'NONE'],
  messageEncoding: ['message_encoding', '', 'LENGTH_PREFIXED', 'DELIMITED'],
}

function featuresOf(object: protobuf.ReflectionObject): FeaturesProto {
  const features = object.options?.['features'] as Record<string, unknown> | undefined
  const number = (key: keyof FeaturesProto): number => {
    const [option, ...words] = FEATURES[key]
    const value = features?.[option]
    return typeof value === 'string' ? Math.max(words.indexOf(value), 0) : 0
  }
  return {
    fieldPresence: number('fieldPresence'),
    enumType: number('enumType'),
    repeatedFieldEncoding: number('repeatedFieldEncoding'),
    utf8Validation: number('utf8Validation'),
    messageEncoding: number('messageEncoding'),
  }
}
