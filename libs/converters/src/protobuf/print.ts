/** A .proto file before it is text. `print` writes it in the layout of Confluent's ProtobufSchema. */
export interface FieldDraft {
  readonly label: '' | 'optional' | 'repeated' | 'required'
  readonly type: string
  readonly name: string
  readonly number: number
  /** `(confluent.field_meta).params`. */
  readonly params: ReadonlyMap<string, string>
  /** Other options, as text. */
  readonly options?: readonly string[]
}
export interface EnumDraft {
  readonly name: string
  readonly allowAlias?: boolean
  readonly values: readonly (readonly [string, number])[]
}
export interface MessageDraft {
  readonly name: string
  readonly fields: FieldDraft[]
  readonly oneofs: { readonly name: string; readonly fields: readonly FieldDraft[] }[]
  readonly messages: MessageDraft[]
  readonly enums: EnumDraft[]
}

export interface FileDraft {
  readonly syntax: 'proto2' | 'proto3'
  readonly package: string
  readonly imports: readonly string[]
  readonly messages: readonly MessageDraft[]
  readonly enums: readonly EnumDraft[]
}

export function printProto({ syntax, package: name, imports, messages, enums }: FileDraft): string {
  const header = `syntax = "${syntax}";\n${name ? `package ${name};\n` : ''}`
  const importLines = imports.map((file) => `import ${quote(file)};\n`).join('')
  return [header, importLines, ...messages.map(printMessage), ...enums.map(printEnum)]
    .filter((part) => part !== '')
    .join('\n')
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
  const alias = draft.allowAlias === true ? 'option allow_alias = true;\n' : ''
  return `enum ${draft.name} {\n${indent(alias + draft.values.map(([name, number]) => `${name} = ${number};\n`).join(''))}}\n`
}

function printField({ label, type, name, number, params, options = [] }: FieldDraft): string {
  const all = [...(params.size === 0 ? [] : [printMeta(params)]), ...options]
  return `${label ? `${label} ` : ''}${type} ${name} = ${number}${all.length === 0 ? '' : ` [${all.join(', ')}]`};\n`
}

function printMeta(params: ReadonlyMap<string, string>): string {
  const entries = [...params].map(([key, value]) => `{\n  value: ${quote(value)},\n  key: ${quote(key)}\n}`)
  return `(confluent.field_meta) = {\n${indent(`params: [\n${indent(`${entries.join(',\n')}\n`)}]\n`)}}`
}

/** A string of the .proto language: what is no printable ASCII is escaped as bytes. */
export function quote(text: string): string {
  const escaped = [...Buffer.from(text)].map((byte) => {
    if (byte === 0x22 || byte === 0x5c) return `\\${String.fromCharCode(byte)}`
    return byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`
  })
  return `"${escaped.join('')}"`
}

function indent(text: string): string {
  return text.replace(/^(?=.)/gm, '  ')
}
