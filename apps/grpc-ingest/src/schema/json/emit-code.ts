import { defaultJson, enumTexts, longestText } from './constants.ts'
import { slotOf } from './scan-code.ts'
import { asciiJson } from './string.ts'
import type { Field, MessageType } from '../model/model.ts'
import { I32, I64, wireTypeOf } from '../wire/wire.ts'

/**
 * The values that generated source takes from outside. Each method returns the name of a variable that holds the value.
 */
export interface Constants {
  add(value: unknown): string
  /** The MessageWriter of a type. */
  writer(type: MessageType): string
  /** The ReadKey of a map. */
  keyReader(entry: MessageType): string
}

/** The bytes of a scalar, at most: a double has 24 characters, an int64 has 20 and quotes. */
const SCALAR_ROOM = 32
/** Marks a position after code that makes its own room. Room for the following code is made again there. */
const RESERVE = '/*reserve*/'

interface Item {
  readonly code: string
  /** Bytes written at most, without those that make their own room. */
  readonly room: number
}

/**
 * Builds the source of the second half of a generated writer: it writes the fields from the noted positions as JSON at
 * `pos`, in order of their numbers.
 */
export class EmitCode {
  readonly #constants: Constants
  readonly #oneofs: ReadonlyMap<string, string>
  readonly #omitUnset: boolean
  readonly #items: Item[] = []

  /** `omitUnset`: every unset field with presence is left out, not only those of `Field.omitUnset`. */
  constructor(constants: Constants, oneofs: ReadonlyMap<string, string>, omitUnset: boolean) {
    this.#constants = constants
    this.#oneofs = oneofs
    this.#omitUnset = omitUnset
  }

  source(): string {
    let room = 0
    let source = ''
    for (const item of this.#items.toReversed()) {
      source = `${item.code.replaceAll(RESERVE, roomCode(room))}\n    ${source}`
      room += item.room
    }
    return `${roomCode(room)}\n    ${source}`
  }

  add(code: string, room: number): void {
    this.#items.push({ code, room })
  }

  /** A required field must be there. */
  required(field: Field): void {
    const missing = this.#constants.add(field.fullName)
    this.add(`if (p${slotOf(field, this.#oneofs)} < 0) throw missingRequired(${missing});`, 0)
  }

  /** A field with its name, `,"name":value`. An unset field gives its default, where JSON shows it. */
  named(field: Field): void {
    this.#field(field, `,${asciiJson(field.jsonName)}:`)
  }

  /** The value alone: the JSON form of wrappers, Struct and ListValue. */
  bare(field: Field): void {
    this.#field(field, '')
  }

  /** An entry of a map, `"key":value`. Both get their defaults when unset. */
  entry(key: Field, value: Field): void {
    const at = `p${slotOf(key, this.#oneofs)}`
    const unset = key.type === 'string' ? '""' : key.type === 'bool' ? '"false"' : '"0"'
    const put = isQuoted(key)
      ? `pos = PUT.${key.type}(buf, ${at}, pos);`
      : `pos = putQuoted(PUT.${key.type}, buf, ${at}, pos);`
    this.add(
      `if (${at} < 0) { ${this.#text(unset)} } else { ${key.type === 'string' ? this.value(key) : put} }`,
      SCALAR_ROOM,
    )
    this.add('output.buf[pos++] = 58;', 1)
    if (value.messageType) {
      const writer = this.#constants.writer(value.messageType)
      this.add(
        `if (p2 < 0) { pos = ${writer}.write(buf, 0, 0, null, pos, depth + 1); ${RESERVE} } else { ${this.value(value)} }`,
        0,
      )
    } else {
      this.bare(value)
    }
  }

  /** Code that writes the value of a singular field from its noted position. */
  value(field: Field): string {
    const slot = slotOf(field, this.#oneofs)
    const at = `p${slot}`
    switch (field.type) {
      case 'group':
        return `pos = ${this.#constants.writer(field.messageType!)}.write(buf, ${at}, q${slot}, m${slot}, pos, depth + 1); ${RESERVE}`
      case 'message':
        return `${chunk(at)} pos = ${this.#constants.writer(field.messageType!)}.write(buf, f, f + n, m${slot}, pos, depth + 1); ${RESERVE}`
      case 'string':
        return `${chunk(at)} pos = putString(buf, f, f + n, ${field.validateUtf8}, pos); ${RESERVE}`
      case 'bytes':
        return `${chunk(at)} pos = putBase64(buf, f, f + n, pos); ${RESERVE}`
      case 'enum':
        if (field.enumType!.fullName === 'google.protobuf.NullValue') return 'pos = putNull(pos);'
        return `pos = putEnum(${this.#constants.add(enumTexts(field))}, varint32(buf, ${at}), pos);`
      default:
        return `pos = PUT.${field.type}(buf, ${at}, pos);`
    }
  }

  #field(field: Field, key: string): void {
    if (field.repeated) {
      this.#repeated(field, key)
      return
    }
    const slot = slotOf(field, this.#oneofs)
    const isSet = field.oneof === null ? `p${slot} >= 0` : `c${slot} === ${field.number}`
    // A value without a name cannot be left out: the JSON around it would break.
    const omit = key !== '' && (field.omitUnset || (this.#omitUnset && field.presence))
    const unset = omit ? '' : key + defaultJson(field)
    const otherwise = unset === '' ? '' : ` else { ${this.#text(unset)} }`
    const room = key.length + Math.max(unset.length, roomOf(field))
    this.add(`if (${isSet}) { ${this.#text(key)} ${this.value(field)} }${otherwise}`, room)
  }

  #repeated(field: Field, key: string): void {
    const list = `l${field.number}`
    const none = field.messageType?.mapEntry === true ? '{}' : '[]'
    // When all elements of a list turn out to be left out, nothing is written.
    const empty = field.omitUnset ? 'pos = n;' : this.#text(none)
    const some = `n = pos; ${this.#text(key)} f = pos; pos = ${this.#list(field, list)}; ${RESERVE} if (pos === f) { ${empty} }`
    const otherwise = field.omitUnset ? '' : ` else { ${this.#text(key + none)} }`
    this.add(`if (${list} !== null) { ${some} }${otherwise}`, key.length + 2)
  }

  #list(field: Field, list: string): string {
    const { messageType } = field
    if (messageType?.mapEntry === true) {
      const writer = this.#constants.writer(messageType)
      const closed = messageType.fields[1]!.closed
      return `putMap(buf, ${list}, ${writer}, ${this.#constants.keyReader(messageType)}, ${closed}, depth + 1, pos)`
    }
    switch (field.type) {
      case 'group':
        return `putGroups(buf, ${list}, ${this.#constants.writer(messageType!)}, depth + 1, pos)`
      case 'message':
        return `putMessages(buf, ${list}, ${this.#constants.writer(messageType!)}, depth + 1, pos)`
      case 'string':
        return `putStrings(buf, ${list}, ${field.validateUtf8}, pos)`
      case 'bytes':
        return `putByteStrings(buf, ${list}, pos)`
      case 'enum': {
        const texts = enumTexts(field)
        return `putEnums(buf, ${list}, ${this.#constants.add(texts)}, ${field.closed}, ${longestText(texts)}, pos)`
      }
      default: {
        const wireType = wireTypeOf(field.type)
        return `putScalars(buf, ${list}, PUT.${field.type}, ${wireType === I64 ? 8 : wireType === I32 ? 4 : 0}, pos)`
      }
    }
  }

  #text(text: string): string {
    if (text === '') return ''
    return `pos = putAscii(${this.#constants.add(Buffer.from(text, 'latin1'))}, pos);`
  }
}

/** Code that sets `f` and `n` to the start and the length of the chunk whose length stands at `at`. */
function chunk(at: string): string {
  return `n = buf[${at}]; f = ${at} + 1; if (n > 127) { n = varint32(buf, ${at}) >>> 0; f = chunkStart(buf, ${at}); }`
}

function roomCode(room: number): string {
  return room === 0 ? '' : `if (pos + ${room} > output.buf.length) reserve(pos, ${room});`
}

function roomOf(field: Field): number {
  return field.type === 'enum' ? longestText(enumTexts(field)) : SCALAR_ROOM
}

/** 64-bit integers are written in quotes as values, so as keys they have them already. */
function isQuoted(field: Field): boolean {
  return field.type.endsWith('64')
}
