import { slotOf } from '../json/scan-code.ts'
import type { Field, MessageType } from '../model/model.ts'
import { I32, I64, wireTypeOf } from '../wire/wire.ts'
import { type FieldPlan, type Form, isUnsigned64 } from './connect-schema.ts'

/** The values that generated source takes from outside. Each method returns the name of a variable that holds the value. */
export interface ReadConstants {
  add(value: unknown): string
  /** The MessageReader of a message in a form. */
  reader(type: MessageType, form: Form): string
  /** The ReadKey of a map. */
  keyReader(entry: MessageType): string
}

/** Names that may stand in the source. Others are constants. */
const PLAIN_NAME = /^[A-Za-z_]\w*$/

/** Builds the source of the second half of a generated reader: expressions for the values at the noted positions; see ScanCode. */
export class ReadCode {
  readonly #constants: ReadConstants
  readonly #oneofs: ReadonlyMap<string, string>
  readonly #lossless: boolean

  constructor(constants: ReadConstants, oneofs: ReadonlyMap<string, string>, lossless: boolean) {
    this.#constants = constants
    this.#oneofs = oneofs
    this.#lossless = lossless
  }

  required(field: Field): string {
    const missing = this.#constants.add(field.fullName)
    return `if (p${slotOf(field, this.#oneofs)} < 0) throw missingRequired(${missing});`
  }

  /** An object literal, so that all values of a type have one hidden class. */
  struct(fields: readonly FieldPlan[]): string {
    return `{ ${fields.map((plan) => `${this.#name(plan.name)}: ${this.field(plan)}`).join(', ')} }`
  }

  /** An entry of a map. Both get their defaults when unset. */
  entry(key: FieldPlan, value: FieldPlan): string {
    const { messageType } = value.field
    const unset = messageType
      ? `${this.#constants.reader(messageType, value.form)}.read(buf, 0, 0, null, depth + 1)`
      : this.#constants.add(value.unset)
    return `{ key: ${this.field(key)}, value: p2 < 0 ? ${unset} : ${this.#value(value.field, value.form)} }`
  }

  field({ field, form, unset }: FieldPlan): string {
    if (field.repeated) return this.#repeated(field, form)
    const slot = slotOf(field, this.#oneofs)
    const isSet = field.oneof === null ? `p${slot} >= 0` : `c${slot} === ${field.number}`
    return `${isSet} ? ${this.#value(field, form)} : ${unset === null ? 'null' : this.#constants.add(unset)}`
  }

  #name(name: string): string {
    // `__proto__: v` would set the prototype.
    return PLAIN_NAME.test(name) && name !== '__proto__' ? name : `[${this.#constants.add(name)}]`
  }

  #value(field: Field, form: Form): string {
    const slot = slotOf(field, this.#oneofs)
    const at = `p${slot}`
    switch (field.type) {
      case 'group':
        return `${this.#constants.reader(field.messageType!, form)}.read(buf, ${at}, q${slot}, m${slot}, depth + 1)`
      case 'message':
        return `(${chunk(at)}, ${this.#constants.reader(field.messageType!, form)}.read(buf, f, f + n, m${slot}, depth + 1))`
      case 'string':
        return `(${chunk(at)}, readString(buf, f, f + n, ${field.validateUtf8}))`
      case 'bytes':
        return `(${chunk(at)}, readBytes(buf, f, f + n))`
      case 'enum':
        return `enumName(${this.#constants.add(field.enumType!.nameOf)}, varint32(buf, ${at}))`
      default:
        return `${this.#scalar(field)}(buf, ${at})`
    }
  }

  #scalar({ type }: Field): string {
    if (!isUnsigned64(type)) return `READ.${type}`
    return `${this.#lossless ? 'DECIMAL' : 'BOUNDED'}.${type}`
  }

  #repeated(field: Field, form: Form): string {
    const list = `l${field.number}`
    const map = field.messageType?.mapEntry === true
    return `${list} === null ? ${map ? 'new Map()' : '[]'} : ${this.#list(field, form, list)}`
  }

  #list(field: Field, form: Form, list: string): string {
    const { messageType } = field
    if (messageType?.mapEntry === true) {
      const knows = messageType.fields[1]!.closed ? this.#constants.keyReader(messageType) : 'null'
      return `readMap(buf, ${list}, ${this.#constants.reader(messageType, 'plain')}, ${knows}, depth + 1)`
    }
    switch (field.type) {
      case 'group':
        return `readGroups(buf, ${list}, ${this.#constants.reader(messageType!, form)}, depth + 1)`
      case 'message':
        return `readMessages(buf, ${list}, ${this.#constants.reader(messageType!, form)}, depth + 1)`
      case 'string':
        return `readStrings(buf, ${list}, ${field.validateUtf8})`
      case 'bytes':
        return `readByteStrings(buf, ${list})`
      case 'enum':
        return `readEnums(buf, ${list}, ${this.#constants.add(field.enumType!.nameOf)}, ${field.closed})`
      default: {
        const wireType = wireTypeOf(field.type)
        return `readScalars(buf, ${list}, ${this.#scalar(field)}, ${wireType === I64 ? 8 : wireType === I32 ? 4 : 0})`
      }
    }
  }
}

/** An expression that sets `f` and `n` to the start and the length of the chunk whose length stands at `at`. */
function chunk(at: string): string {
  return `(n = buf[${at}]) < 128 ? f = ${at} + 1 : (n = varint32(buf, ${at}) >>> 0, f = chunkStart(buf, ${at}))`
}
