import { type FeaturesProto, NO_FEATURES } from '../model/file-proto.ts'
import { type ProtoTokens, stringBytes } from './proto-tokens.ts'

/** The value of an option: the bytes of a string, or a name or number as written, with its sign. */
export type OptionValue = Buffer | string

/** Options by name, such as `packed`, `features.enum_type` or `(acme.unit).name`. A message is its single values. */
export type Options = Map<string, OptionValue>

/** The deepest nesting of messages in the text. */
export const MAX_NESTING = 100

/** `[a = 1, (b).c = "x"]`, if there is one. */
export function parseFieldOptions(tokens: ProtoTokens): Options {
  const options: Options = new Map()
  if (!tokens.skip('[')) return options
  do parseOption(tokens, options)
  while (tokens.skip(','))
  tokens.expect(']')
  return options
}

/** `name = value`, the part of an option statement between `option` and `;`. */
export function parseOption(tokens: ProtoTokens, options: Options): void {
  const name = optionName(tokens)
  tokens.expect('=')
  if (tokens.skip('{')) parseMessage(tokens, `${name}.`, options, 0)
  else options.set(name, parseValue(tokens))
}

function optionName(tokens: ProtoTokens): string {
  let name = ''
  do {
    if (tokens.skip('(')) {
      name += `(${parseTypeName(tokens)})`
      tokens.expect(')')
    } else name += tokens.takeKind('name', 'the name of an option')
  } while (tokens.skip('.') && (name += '.'))
  return name
}

/** `acme.v1.Quote`, `.acme.v1.Quote` */
export function parseTypeName(tokens: ProtoTokens): string {
  let name = tokens.skip('.') ? '.' : ''
  do name += tokens.takeKind('name', 'the name of a type')
  while (tokens.skip('.') && (name += '.'))
  return name
}

function parseValue(tokens: ProtoTokens): OptionValue {
  if (tokens.peek.kind === 'string') return parseString(tokens)
  const sign = tokens.skip('-') ? '-' : (tokens.skip('+'), '')
  if (tokens.peek.kind === 'number' || tokens.peek.kind === 'name') return sign + tokens.take().text
  throw tokens.unexpected('a value')
}

/** Adjacent literals are one string. */
export function parseString(tokens: ProtoTokens): Buffer {
  const parts = [tokens.takeKind('string', 'a string')]
  while (tokens.peek.kind === 'string') parts.push(tokens.take().text)
  return Buffer.concat(parts.map(stringBytes))
}

/** A message in text format, after its `{`. Only names and numbers directly in it are kept. */
function parseMessage(tokens: ProtoTokens, prefix: string, options: Options, depth: number): void {
  if (depth > MAX_NESTING) throw tokens.error('an option nests too deeply')
  while (!tokens.skip('}')) {
    const name = tokens.peek.kind === 'name' ? tokens.take().text : ''
    if (tokens.skip('{')) parseMessage(tokens, `${prefix}${name}.`, options, depth + 1)
    else if (name !== '' && tokens.skip(':')) {
      if (tokens.peek.kind === 'name' || tokens.peek.kind === 'number') options.set(prefix + name, tokens.take().text)
    } else if (name === '') {
      if (tokens.peek.kind === 'end') throw tokens.unexpected('"}"')
      tokens.take()
    }
  }
}

/** The names of the values of FeatureSet's enums, at their numbers. */
const FEATURES: Readonly<Record<keyof FeaturesProto, readonly [option: string, ...words: string[]]>> = {
  fieldPresence: ['field_presence', '', 'EXPLICIT', 'IMPLICIT', 'LEGACY_REQUIRED'],
  enumType: ['enum_type', '', 'OPEN', 'CLOSED'],
  repeatedFieldEncoding: ['repeated_field_encoding', '', 'PACKED', 'EXPANDED'],
  utf8Validation: ['utf8_validation', '', '', 'VERIFY', 'NONE'],
  messageEncoding: ['message_encoding', '', 'LENGTH_PREFIXED', 'DELIMITED'],
}

export function featuresOf(options: Options): FeaturesProto {
  if (![...options.keys()].some((name) => name.startsWith('features.'))) return NO_FEATURES
  const number = (key: keyof FeaturesProto): number => {
    const [option, ...words] = FEATURES[key]
    const value = options.get(`features.${option}`)
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
