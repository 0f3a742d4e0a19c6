/** A .proto file before it is text. `print` writes it in the layout of Confluent's ProtobufSchema. */
export interface FieldDraft {
  readonly label: '' | 'optional' | 'repeated'
  readonly type: string
  readonly name: string
  readonly number: number
  /** `(confluent.field_meta).params`. */
  readonly params: ReadonlyMap<string, string>
}
export interface EnumDraft {
  readonly name: string
  readonly values: readonly (readonly [string, number])[]
}
export interface MessageDraft {
  readonly name: string
  readonly fields: FieldDraft[]
  readonly oneofs: { readonly name: string; readonly fields: readonly FieldDraft[] }[]
  readonly messages: MessageDraft[]
  readonly enums: EnumDraft[]
}

export function printProto(pkg: string, imports: readonly string[], message: MessageDraft): string {
  const header = pkg ? `syntax = "proto3";\npackage ${pkg};\n` : 'syntax = "proto3";\n'
  const importLines = imports.map((name) => `import "${name}";\n`).join('')
  return `${header}\n${importLines ? `${importLines}\n` : ''}${printMessage(message)}`
}

function printMessage(message: MessageDraft): string {
  const fields = message.fields.map(printField).join('')
  const oneofs = message.oneofs.map(
    (oneof) => `oneof ${oneof.name} {\n${indent(oneof.fields.map(printField).join(''))}}\n`,
  )
  const nested = [...message.messages.map(printMessage), ...message.enums.map(printEnum)]
  const body = [fields, ...oneofs, ...nested].filter((part) => part !== '').join('\n')
  return `message ${message.name} {\n${indent(body)}}\n`
}

function printEnum(draft: EnumDraft): string {
  return `enum ${draft.name} {\n${indent(draft.values.map(([name, number]) => `${name} = ${number};\n`).join(''))}}\n`
}

function printField({ label, type, name, number, params }: FieldDraft): string {
  return `${label ? `${label} ` : ''}${type} ${name} = ${number}${printMeta(params)};\n`
}

function printMeta(params: ReadonlyMap<string, string>): string {
  if (params.size === 0) return ''
  const entries = [...params].map(([key, value]) => `{\n  value: ${quote(value)},\n  key: ${quote(key)}\n}`)
  return ` [(confluent.field_meta) = {\n${indent(`params: [\n${indent(`${entries.join(',\n')}\n`)}]\n`)}}]`
}

/** A string of the .proto language: what is no printable ASCII is escaped as bytes. */
function quote(text: string): string {
  const escaped = [...Buffer.from(text)].map((byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`
  })
  return `"${escaped.join('')}"`
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
