import type { ArrayType, AvroType, MapType } from './avro-type.ts'
import type { Sink } from './sink.ts'
import { unfit } from './unfit.ts'

/** Writes a default, which is JSON in Avro's form. Throws DataError for one that does not fit its type. */
export function writeDefault(sink: Sink, type: AvroType, json: unknown): void {
  write(sink, type, json, 0, { left: MAX_STEPS })
}

const MAX_DEPTH = 100
/** Branches of unions are tried one after the other, each with all that is in it. */
const MAX_STEPS = 10_000

interface Steps {
  left: number
}

function write(sink: Sink, type: AvroType, json: unknown, depth: number, steps: Steps): void {
  if (depth > MAX_DEPTH || --steps.left < 0) throw misfitting(type)
  switch (type.type) {
    case 'null':
      return must(json === null, type)
    case 'boolean':
      must(typeof json === 'boolean', type)
      return sink.byte(json === true ? 1 : 0)
    case 'int':
      must(Number.isInteger(json) && (json as number) === ((json as number) | 0), type)
      return sink.int(json as number)
    case 'long':
      must(typeof json === 'bigint' || Number.isSafeInteger(json), type)
      return sink.long(BigInt.asIntN(64, BigInt(json as number | bigint)))
    case 'float':
    case 'double':
      must(typeof json === 'number' || typeof json === 'bigint', type)
      return type.type === 'float' ? sink.float(Number(json)) : sink.double(Number(json))
    case 'string':
      must(typeof json === 'string', type)
      return sink.string(json as string)
    case 'bytes':
    case 'fixed':
      must(typeof json === 'string', type)
      if (type.type === 'fixed') must((json as string).length === type.size, type)
      else sink.int((json as string).length)
      return sink.raw(Buffer.from(json as string, 'latin1'))
    case 'enum':
      must(type.symbols.includes(json as string), type)
      return sink.int(type.symbols.indexOf(json as string))
    case 'array':
    case 'map':
      return writeItems(sink, type, json, depth, steps)
    case 'record':
      must(isObject(json), type)
      for (const field of type.fields) {
        const own = (json as Record<string, unknown>)[field.name]
        const given = Object.hasOwn(json as object, field.name) ? own : field.default
        must(given !== undefined, type)
        write(sink, field.type, given, depth + 1, steps)
      }
      return
    case 'union':
      return writeBranch(sink, type.branches, json, depth, steps)
  }
}

function writeItems(sink: Sink, type: ArrayType | MapType, json: unknown, depth: number, steps: Steps): void {
  const items = type.type === 'array' ? type.items : type.values
  must(type.type === 'array' ? Array.isArray(json) : isObject(json), type)
  const entries = Object.entries(json as object)
  if (entries.length > 0) sink.int(entries.length)
  for (const [key, value] of entries) {
    if (type.type === 'map') sink.string(key)
    write(sink, items, value, depth + 1, steps)
  }
  sink.byte(0)
}

/** The default of a union is that of its first branch (Avro 1.12: of any). */
function writeBranch(sink: Sink, branches: readonly AvroType[], json: unknown, depth: number, steps: Steps): void {
  const from = sink.at
  let refusal: unknown
  for (const [index, branch] of branches.entries()) {
    try {
      sink.int(index)
      return write(sink, branch, json, depth + 1, steps)
    } catch (error) {
      refusal ??= error
      sink.at = from
    }
  }
  throw refusal
}

function isObject(json: unknown): boolean {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function must(fits: boolean, type: AvroType): void {
  if (!fits) throw misfitting(type)
}

function misfitting(type: AvroType): Error {
  return unfit(`a default of the Avro schema does not fit its type ${'name' in type ? type.name : type.type}`)
}
