import type { Field, MessageType } from '@tributary/grpc-ingest/schema'

/** How the expected JSON may differ without being another value. */
export interface Leniency {
  /**
   * Extensions have their own name, not their full name in brackets. A number that an open enum does not have shows as
   * the default in a field of proto2.
   */
  readonly java?: boolean | undefined
}

/**
 * Compares two JSON values of a message: float fields after Math.fround, everything else exactly; -0 and 0 differ. An
 * Any of google.protobuf.Empty may have `"value":{}` (Go), and an empty repeated extension may be there (Python).
 * Returns the first place where they differ, or null.
 */
export function firstDifference(
  type: MessageType | null,
  expected: unknown,
  actual: unknown,
  leniency: Leniency,
  path = '$',
): string | null {
  if (isObject(expected) && isObject(actual)) {
    const url = expected['@type']
    if (typeof url === 'string') {
      type = type?.types.get(url.slice(url.lastIndexOf('/') + 1)) ?? null
      if (type?.fullName === 'google.protobuf.Empty' && actual['@type'] === url) return null
      const ownForm = type?.fullName.startsWith('google.protobuf.') === true && actual['@type'] === url
      if (ownForm) return firstDifference(type, expected['value'], actual['value'], leniency, `${path}.value`)
    }
    if (leniency.java === true) expected = withFullNames(type, expected, actual)
    const members = expected as Record<string, unknown>
    for (const name of new Set([...Object.keys(members), ...Object.keys(actual)])) {
      if (name.startsWith('[') && Array.isArray(members[name]) && members[name].length === 0) continue
      const found = memberDifference(type, name, members[name], actual[name], leniency, `${path}.${name}`)
      if (found !== null) return found
    }
    return null
  }
  return Object.is(expected, actual) ? null : `${path}: expected ${show(expected)}, got ${show(actual)}`
}

/** Java gives an extension the JSON name of a field. Its value is lost where the message has a field of that name. */
function withFullNames(
  type: MessageType | null,
  expected: Record<string, unknown>,
  actual: Record<string, unknown>,
): Record<string, unknown> {
  const named = { ...expected }
  for (const field of type?.fields.filter((f) => f.extension) ?? []) {
    const bare = field.name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    if (!(bare in named)) continue
    named[field.jsonName] = named[bare]
    if (type!.fields.some((f) => f.jsonName === bare)) {
      if (field.jsonName in actual) named[bare] = actual[bare]
      else delete named[field.jsonName]
    } else delete named[bare]
  }
  return named
}

function memberDifference(
  type: MessageType | null,
  name: string,
  expected: unknown,
  actual: unknown,
  leniency: Leniency,
  path: string,
): string | null {
  const field = type?.fields.find((f) => f.jsonName === name)
  if (field?.messageType?.mapEntry === true && isObject(expected) && isObject(actual)) {
    const value = field.messageType.fields[1]
    const keys = new Set([...Object.keys(expected), ...Object.keys(actual)])
    for (const key of keys) {
      const found = valueDifference(value, expected[key], actual[key], leniency, `${path}.${key}`)
      if (found !== null) return found
    }
    return null
  }
  if (!Array.isArray(expected) || !Array.isArray(actual))
    return valueDifference(field, expected, actual, leniency, path)
  const length = Math.max(expected.length, actual.length)
  for (let i = 0; i < length; i++) {
    const found = valueDifference(field, expected[i], actual[i], leniency, `${path}[${i}]`)
    if (found !== null) return found
  }
  return null
}

function valueDifference(
  field: Field | undefined,
  expected: unknown,
  actual: unknown,
  leniency: Leniency,
  path: string,
): string | null {
  const isFloat = field?.type === 'float' || field?.messageType?.fullName === 'google.protobuf.FloatValue'
  if (isFloat && typeof expected === 'number' && typeof actual === 'number') {
    return firstDifference(null, Math.fround(expected), Math.fround(actual), leniency, path)
  }
  const unnamed = field?.enumType?.closed === false && typeof actual === 'number'
  if (leniency.java === true && unnamed && typeof expected === 'string') return null
  return firstDifference(field?.messageType ?? null, expected, actual, leniency, path)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 200)
}
