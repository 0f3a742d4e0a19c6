import type protobufjs from 'protobufjs'
import { META_LOCATION } from './names.ts'

/**
 * The files that every Protobuf serializer of the registry has built in, so that no schema needs a reference to them. Those of
 * google/protobuf come with protobufjs.
 */
const TEXTS: Readonly<Record<string, string>> = {
  'confluent/type/decimal.proto': `syntax = "proto3"; package confluent.type;
message Decimal { bytes value = 1; uint32 precision = 2; int32 scale = 3; }`,
  'google/type/date.proto': `syntax = "proto3"; package google.type;
message Date { int32 year = 1; int32 month = 2; int32 day = 3; }`,
  'google/type/timeofday.proto': `syntax = "proto3"; package google.type;
message TimeOfDay { int32 hours = 1; int32 minutes = 2; int32 seconds = 3; int32 nanos = 4; }`,
  'google/type/dayofweek.proto': `syntax = "proto3"; package google.type;
enum DayOfWeek { DAY_OF_WEEK_UNSPECIFIED = 0; MONDAY = 1; TUESDAY = 2; WEDNESDAY = 3; THURSDAY = 4; FRIDAY = 5; SATURDAY = 6; SUNDAY = 7; }`,
  'google/type/latlng.proto': `syntax = "proto3"; package google.type;
message LatLng { double latitude = 1; double longitude = 2; }`,
  'google/type/money.proto': `syntax = "proto3"; package google.type;
message Money { string currency_code = 1; int64 units = 2; int32 nanos = 3; }`,
  'google/type/color.proto': `syntax = "proto3"; package google.type; import "google/protobuf/wrappers.proto";
message Color { float red = 1; float green = 2; float blue = 3; google.protobuf.FloatValue alpha = 4; }`,
}

/** Files of options alone: they declare no type that a field may have. */
const OPTIONS = new Set([META_LOCATION, 'google/protobuf/descriptor.proto'])

/** The first message of wrappers.proto, and the text that a schema of a lone scalar registers. */
export const WRAPPERS_TEXT = `syntax = "proto3";
package google.protobuf;

${['Double', 'Float', 'Int64', 'UInt64', 'Int32', 'UInt32', 'Bool', 'String', 'Bytes']
  .map((type) => `message ${type}Value {\n  ${type.toLowerCase()} value = 1;\n}\n`)
  .join('')}`

/** Adds a built-in file, with those that it imports, to a root. False: there is none of this name. */
export function addKnownFile(pb: typeof protobufjs, root: protobufjs.Root, name: string, added: Set<string>): boolean {
  if (added.has(name) || OPTIONS.has(name)) return true
  const common = pb.common.get(name)
  if (common?.nested) {
    added.add(name)
    root.addJSON(common.nested)
    return true
  }
  if (!Object.hasOwn(TEXTS, name)) return false
  added.add(name)
  const { imports } = pb.parse(TEXTS[name]!, root, { keepCase: true })
  for (const file of imports ?? []) addKnownFile(pb, root, file, added)
  return true
}
