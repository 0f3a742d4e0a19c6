import type { FileProto } from '../model/file-proto.ts'
import { RARE_FILES } from './bundled-rare-files.ts'
import { parseProto } from './proto-source.ts'

/**
 * The well-known types of Google that a message may contain, or an Any may name, although their file is not in the set.
 * Names, numbers and types are those of google/protobuf/*.proto.
 */
const SOURCES: Readonly<Record<string, string>> = {
  any: 'message Any { string type_url = 1; bytes value = 2; }',
  duration: 'message Duration { int64 seconds = 1; int32 nanos = 2; }',
  empty: 'message Empty {}',
  field_mask: 'message FieldMask { repeated string paths = 1; }',
  struct: `
    message Struct { map<string, Value> fields = 1; }
    message Value {
      oneof kind {
        NullValue null_value = 1; double number_value = 2; string string_value = 3; bool bool_value = 4;
        Struct struct_value = 5; ListValue list_value = 6;
      }
    }
    enum NullValue { NULL_VALUE = 0; }
    message ListValue { repeated Value values = 1; }`,
  timestamp: 'message Timestamp { int64 seconds = 1; int32 nanos = 2; }',
  wrappers: `
    message DoubleValue { double value = 1; } message FloatValue { float value = 1; }
    message Int64Value { int64 value = 1; } message UInt64Value { uint64 value = 1; }
    message Int32Value { int32 value = 1; } message UInt32Value { uint32 value = 1; }
    message BoolValue { bool value = 1; } message StringValue { string value = 1; } message BytesValue { bytes value = 1; }`,
}
const DIRECTORY = 'google/protobuf/'

const parsed = new Map<string, FileProto>()

/** The bundled file with a name such as `google/protobuf/any.proto`; null when there is none. */
export function wellKnownFile(name: string): FileProto | null {
  const known = parsed.get(name)
  if (known) return known
  const text = sourceOf(name)
  if (text === null) return null
  const file = parseProto(text, name)
  parsed.set(name, file)
  return file
}

function sourceOf(name: string): string | null {
  if (!name.startsWith(DIRECTORY) || !name.endsWith('.proto')) return null
  const short = name.slice(DIRECTORY.length, -'.proto'.length)
  const source = Object.hasOwn(SOURCES, short) ? SOURCES[short] : undefined
  if (source !== undefined) return `syntax = "proto3"; package google.protobuf; ${source}`
  return Object.hasOwn(RARE_FILES, short) ? RARE_FILES[short]! : null
}

/**
 * Adds the bundled files that a set lacks: the small ones always, unless the set declares their types itself in a file
 * of another name; the others where they are imported.
 */
export function withWellKnown(files: readonly FileProto[]): FileProto[] {
  const all = new Map(files.map((f) => [f.name, f]))
  const own = new Set(files.flatMap((f) => (f.package === 'google.protobuf' ? f.messageType.map((m) => m.name) : [])))
  for (const name of Object.keys(SOURCES).map((n) => `${DIRECTORY}${n}.proto`)) {
    const file = wellKnownFile(name)
    if (file && !all.has(name) && !file.messageType.some((m) => own.has(m.name))) all.set(name, file)
  }
  // Set and Map also iterate over elements that are added meanwhile, so imports of imports are found too.
  const wanted = new Set(files.flatMap((f) => f.dependency))
  for (const name of wanted) {
    const file = all.get(name) ?? wellKnownFile(name)
    if (!file || file.messageType.some((m) => !all.has(name) && own.has(m.name))) continue
    all.set(name, file)
    file.dependency.forEach((d) => wanted.add(d))
  }
  return [...all.values()]
}
