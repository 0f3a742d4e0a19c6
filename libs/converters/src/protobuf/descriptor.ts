import { Input, LEN, malformed, VARINT } from './input.ts'
import { isIdentifier } from './names.ts'
import { type EnumDraft, type FieldDraft, type FileDraft, type MessageDraft, printProto, quote } from './print.ts'

/**
 * The text of a schema that a client registered as a FileDescriptorProto in Base64, as those for Python, Go and C# do. A registry may
 * give it back as it got it. Text stays as it is. Throws DataError for a damaged descriptor.
 */
export function textOf(schema: string): string {
  return /^[A-Za-z0-9+/\s]+={0,2}\s*$/.test(schema) ? printProto(readFile(Buffer.from(schema, 'base64'))) : schema
}

/** As deep as protoc nests messages, and more. */
const MAX_NESTING = 64

type Read = (number: number, wire: number, input: Input) => boolean

/** The numbers are those of google/protobuf/descriptor.proto. */
function readFields(bytes: Uint8Array, read: Read): void {
  const input = new Input(bytes)
  while (input.pos < input.end) {
    const tag = input.tag()
    if (!read(tag >>> 3, tag & 7, input)) input.skip(tag, 0)
  }
}

function readFile(bytes: Uint8Array): FileDraft {
  const file = {
    syntax: 'proto2' as FileDraft['syntax'],
    package: '',
    imports: [] as string[],
    messages: [] as MessageDraft[],
    enums: [] as EnumDraft[],
  }
  readFields(bytes, (number, wire, input) => {
    if (wire !== LEN) return false
    if (number === 2) file.package = dotted(input.string())
    else if (number === 3) file.imports.push(input.string())
    else if (number === 4) file.messages.push(readMessage(input.copy(), 0))
    else if (number === 5) file.enums.push(readEnum(input.copy()))
    else if (number === 12) file.syntax = syntaxOf(input.string())
    else return false
    return true
  })
  return file
}

function syntaxOf(text: string): FileDraft['syntax'] {
  if (text === 'proto3' || text === 'proto2') return text
  throw malformed(`a descriptor with the syntax ${JSON.stringify(text.slice(0, 20))}`)
}

function readMessage(bytes: Uint8Array, depth: number): MessageDraft {
  if (depth > MAX_NESTING) throw malformed(`a descriptor that nests deeper than ${MAX_NESTING}`)
  let name = ''
  const fields: { readonly draft: FieldDraft; readonly oneof: number | null }[] = []
  const oneofs: string[] = []
  const messages: MessageDraft[] = []
  const enums: EnumDraft[] = []
  readFields(bytes, (number, wire, input) => {
    if (wire !== LEN) return false
    if (number === 1) name = identifier(input.string())
    else if (number === 2) fields.push(readField(input.copy()))
    else if (number === 3) messages.push(readMessage(input.copy(), depth + 1))
    else if (number === 4) enums.push(readEnum(input.copy()))
    else if (number === 8) oneofs.push(readName(input.copy()))
    else return false
    return true
  })
  const members = (i: number): FieldDraft[] =>
    fields.filter(({ oneof }) => oneof === i).map(({ draft }) => ({ ...draft, label: '' }))
  return {
    name,
    fields: fields.filter(({ oneof }) => oneof === null).map(({ draft }) => draft),
    oneofs: oneofs.map((oneof, i) => ({ name: oneof, fields: members(i) })).filter((oneof) => oneof.fields.length > 0),
    messages,
    enums,
  }
}

const LABELS = ['', 'optional', 'required', 'repeated'] as const
const TYPES = [
  '',
  'double',
  'float',
  'int64',
  'uint64',
  'int32',
  'fixed64',
  'fixed32',
  'bool',
  'string',
  'group',
  '',
  'bytes',
  'uint32',
  '',
  'sfixed32',
  'sfixed64',
  'sint32',
  'sint64',
]

function readField(bytes: Uint8Array): { readonly draft: FieldDraft; readonly oneof: number | null } {
  const field = {
    name: '',
    number: 0,
    label: 0,
    type: 0,
    typeName: '',
    fallback: null as string | null,
    oneof: null as number | null,
    proto3Optional: false,
  }
  const params = new Map<string, string>()
  const options: string[] = []
  readFields(bytes, (number, wire, input) => {
    if (number === 1 && wire === LEN) field.name = identifier(input.string())
    else if (number === 3 && wire === VARINT) field.number = input.uint32()
    else if (number === 4 && wire === VARINT) field.label = input.uint32()
    else if (number === 5 && wire === VARINT) field.type = input.uint32()
    else if (number === 6 && wire === LEN) field.typeName = dotted(input.string())
    else if (number === 7 && wire === LEN) field.fallback = input.string()
    else if (number === 8 && wire === LEN) readOptions(input.copy(), params, options)
    else if (number === 9 && wire === VARINT) field.oneof = input.uint32()
    else if (number === 17 && wire === VARINT) field.proto3Optional = input.bool()
    else return false
    return true
  })
  const type = TYPES[field.type] === '' ? field.typeName : TYPES[field.type]
  if (type === undefined || type === 'group' || type === '')
    throw malformed(`a descriptor with a field of type ${field.type}`)
  if (field.fallback !== null) options.push(`default = ${defaultText(type, field.fallback)}`)
  // Without a label, a field of proto3 has no presence; in proto2 each one has a label.
  const label = field.proto3Optional || field.label !== 1 || field.fallback !== null ? LABELS[field.label] : ''
  if (label === undefined) throw malformed(`a descriptor with a field of label ${field.label}`)
  return {
    draft: { label, type, name: field.name, number: field.number, params, options },
    oneof: field.proto3Optional ? null : field.oneof,
  }
}

/** The text of a default is C-escaped for bytes, and plain for all other types. */
function defaultText(type: string, text: string): string {
  if (type === 'string') return quote(text)
  if (type === 'bytes') return `"${text.replace(/["\n\r]/g, '')}"`
  if (/^-?[A-Za-z0-9_.+-]+$/.test(text)) return text
  throw malformed(`a descriptor with the default ${JSON.stringify(text.slice(0, 50))}`)
}

/** `packed`, and confluent.field_meta (1088) with its map `params` (2). */
function readOptions(bytes: Uint8Array, params: Map<string, string>, options: string[]): void {
  readFields(bytes, (number, wire, input) => {
    if (number === 2 && wire === VARINT) options.push(`packed = ${input.bool()}`)
    else if (number === 1088 && wire === LEN) readMeta(input.copy(), params)
    else return false
    return true
  })
}

function readMeta(bytes: Uint8Array, params: Map<string, string>): void {
  readFields(bytes, (number, wire, input) => {
    if (number !== 2 || wire !== LEN) return false
    let [key, value] = ['', '']
    readFields(input.copy(), (part, partWire, entry) => {
      if (partWire !== LEN || part > 2) return false
      if (part === 1) key = entry.string()
      else value = entry.string()
      return true
    })
    params.set(key, value)
    return true
  })
}

function readEnum(bytes: Uint8Array): EnumDraft {
  let name = ''
  let allowAlias = false
  const values: (readonly [string, number])[] = []
  readFields(bytes, (number, wire, input) => {
    if (wire !== LEN) return false
    if (number === 1) name = identifier(input.string())
    else if (number === 2) values.push(readValue(input.copy()))
    else if (number === 3) {
      readFields(input.copy(), (option, optionWire, options) => {
        if (option !== 2 || optionWire !== VARINT) return false
        allowAlias = options.bool()
        return true
      })
    } else return false
    return true
  })
  return { name, allowAlias, values }
}

function readValue(bytes: Uint8Array): readonly [string, number] {
  let name = ''
  let value = 0
  readFields(bytes, (number, wire, input) => {
    if (number === 1 && wire === LEN) name = identifier(input.string())
    else if (number === 2 && wire === VARINT) value = input.uint32() | 0
    else return false
    return true
  })
  return [name, value]
}

function readName(bytes: Uint8Array): string {
  let name = ''
  readFields(bytes, (number, wire, input) => {
    if (number !== 1 || wire !== LEN) return false
    name = identifier(input.string())
    return true
  })
  return name
}

function identifier(name: string): string {
  if (isIdentifier(name)) return name
  throw malformed(`a descriptor with the name ${JSON.stringify(name.slice(0, 100))}`)
}

/** A package, or the full name of a type, which begins with a dot. */
function dotted(name: string): string {
  for (const part of (name.startsWith('.') ? name.slice(1) : name).split('.')) if (name !== '') identifier(part)
  return name
}
