import { JsonCompiler } from './json-compiler.ts'
import { takeText } from './json-output.ts'
import type { MessageType } from './model.ts'

/**
 * One message's bytes as protobuf JSON text, equal in value to what protobuf-java-util 3.25 prints with default values
 * included: fields in order of number, 64-bit integers as strings, floats as their shortest decimals, HTML-safe strings.
 * Beyond that one, an Any is resolved from the schema, and so are extensions.
 *
 * What a later value of the same field replaces is not looked at, so it may be malformed.
 *
 * Throws DataError: `PROTOBUF_DECODE` for malformed bytes, `PROTOBUF_JSON` for what JSON has no form for (an Any of
 * unknown type, a Timestamp outside the years 1 to 9999, a google.protobuf.Value that is NaN). The bytes stay as they are.
 */
export type JsonWriter = (bytes: Uint8Array) => string

const compilers = new WeakMap<MessageType['types'], JsonCompiler>()

export function jsonWriter(type: MessageType): JsonWriter {
  let compiler = compilers.get(type.types)
  if (!compiler) compilers.set(type.types, (compiler = new JsonCompiler(type.types)))
  const writer = compiler.writerOf(type)
  return (bytes) => {
    // One class of buffer keeps the generated code monomorphic
    const buf = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    return takeText(writer.write(buf, 0, buf.length, null, 0, 0))
  }
}
