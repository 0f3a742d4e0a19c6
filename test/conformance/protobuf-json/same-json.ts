import type { Field, MessageType } from '@tributary/grpc-ingest/schema'

/**
 * Compares two JSON values of a message: float fields after Math.fround, everything else exactly; -0 and 0 differ.
 * Returns the first place where they differ, or null.
 */
export function firstDifference(
  type: MessageType | null,
  expected: unknown,
  actual: unknown,
  path = '$',
): string | null {
  if (isObject(expected) && isObject(actual)) {
    const url = expected['@type']
    if (typeof url === 'string') {
      type = type?.types.get(url.slice(url.lastIndexOf('/') + 1)) ?? null
      const ownForm = type?.fullName.startsWith('google.protobuf.') === true && actual['@type'] === url
      if (ownForm) return firstDifference(type, expected['value'], actual['value'], `${path}.value`)
    }
    const names = new Set([...Object.keys(expected), ...Object.keys(actual)])
    for (const name of names) {
      const found = memberDifference(type, name, expected[name], actual[name], `${path}.${name}`)
      if (found !== null) return found
    }
    return null
  }
  return Object.is(expected, actual) ? null : `${path}: expected ${show(expected)}, got ${show(actual)}`
}

function memberDifference(
  type: MessageType | null,
  name: string,
  expected: unknown,
  actual: unknown,
  path: string,
): string | null {
  const field = type?.fields.find((f) => f.jsonName === name)
  if (field?.messageType?.mapEntry === true && isObject(expected) && isObject(actual)) {
    const value = field.messageType.fields[1]
    const keys = new Set([...Object.keys(expected), ...Object.keys(actual)])
    for (const key of keys) {
      const found = valueDifference(value, expected[key], actual[key], `${path}.${key}`)
      if (found !== null) return found
    }
    return null
  }
  if (!Array.isArray(expected) || !Array.isArray(actual)) return valueDifference(field, expected, actual, path)
  const length = Math.max(expected.length, actual.length)
  for (let i = 0; i < length; i++) {
    const found = valueDifference(field, expected[i], actual[i], `${path}[${i}]`)
    if (found !== null) return found
  }
  return null
}

function valueDifference(field: Field | undefined, expected: unknown, actual: unknown, path: string): string | null {
  const isFloat = field?.type === 'float' || field?.messageType?.fullName === 'google.protobuf.FloatValue'
  if (isFloat && typeof expected === 'number' && typeof actual === 'number') {
    return firstDifference(null, Math.fround(expected), Math.fround(actual), path)
  }
  return firstDifference(field?.messageType ?? null, expected, actual, path)
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 200)
}
