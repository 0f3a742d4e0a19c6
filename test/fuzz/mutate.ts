import type { Random } from '../support/random.ts'

/** Longest text or byte array that a mutation makes, so that the size of an input never explains its time. */
const MAX_LENGTH = 64 * 1024
/** Runs of one character, which reveal algorithms that are not linear. */
const LONG_RUN = 8 * 1024

const TOKENS = [
  '',
  ' ',
  '\t',
  '\n',
  '\r\n',
  '\u0000',
  '\u00a0',
  '\u2028',
  'é',
  '😀',
  '\ud800',
  '"',
  "'",
  '\\',
  ',',
  ':',
  '=',
  '#',
  '!',
  '${',
  '}',
  '${env:X}',
  '${file:/x:y}',
  '{}',
  '[]',
  'null',
  'true',
  'FALSE',
  '-1',
  '0',
  '+5',
  '1e9',
  'NaN',
  '2147483648',
  '9223372036854775807',
  '9223372036854775808',
  '0x10',
  '__proto__',
  'constructor',
  '../',
  '%00',
  '\\u0041',
  '\\u12',
]

/** Changes a text in one place: characters, runs, pieces, or tokens that confuse parsers. */
export function mutateText(random: Random, text: string, tokens: readonly string[] = TOKENS): string {
  const at = random.int(text.length + 1)
  const end = Math.min(text.length, at + 1 + random.int(8))
  switch (random.int(9)) {
    case 0:
      return text.slice(0, at) + text.slice(end)
    case 1:
      return clip(text.slice(0, at) + random.pick(tokens) + text.slice(at))
    case 2:
      return clip(text.slice(0, at) + random.pick(tokens) + text.slice(end))
    case 3:
      return clip(text.slice(0, end) + text.slice(at))
    case 4:
      return text.slice(0, at)
    case 5:
      return clip(
        text.slice(0, at) + String.fromCharCode(random.int(random.chance(0.8) ? 128 : 65_536)) + text.slice(at),
      )
    case 6:
      return random.chance(0.5) ? text.toUpperCase() : text.toLowerCase()
    case 7:
      return clip(` ${text}\t`)
    default:
      return random.chance(0.1)
        ? clip(text.slice(0, at) + random.pick(tokens).repeat(random.int(LONG_RUN)) + text.slice(at))
        : random.pick(tokens)
  }
}

/** Changes flat settings in one key: its value, its presence or its name, or exchanges two values. */
export function mutateProps(
  random: Random,
  props: Readonly<Record<string, string | null>>,
  tokens: readonly string[] = TOKENS,
): Record<string, string | null> {
  const names = Object.keys(props)
  if (names.length === 0) return { [random.pick(tokens)]: random.pick(tokens) }
  const name = random.pick(names)
  const entries = new Map(Object.entries(props))
  const value = entries.get(name) ?? ''
  switch (random.int(8)) {
    case 0:
      entries.delete(name)
      break
    case 1:
      entries.set(mutateText(random, name, tokens), value)
      break
    case 2: {
      const other = random.pick(names)
      entries.set(name, entries.get(other) ?? '').set(other, value)
      break
    }
    case 3:
      entries.set(name, random.chance(0.2) ? null : random.pick(tokens))
      break
    default:
      entries.set(name, mutateText(random, value, tokens))
  }
  return Object.fromEntries(entries)
}

const JSON_LEAVES: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e300,
  2 ** 53,
  'text',
  '',
  '\u0000',
  '${env:X}',
  {},
  [],
]

/** Changes a JSON value in one node: replaces, removes, repeats or wraps it, or mutates its text. */
export function mutateJson(random: Random, value: unknown, depth = 0): unknown {
  const stay = depth > 6 || random.chance(0.3)
  if (Array.isArray(value) && value.length > 0 && !stay) {
    const items: unknown[] = [...(value as unknown[])]
    const at = random.int(items.length)
    if (random.chance(0.15)) items.splice(at, 1)
    else if (random.chance(0.15)) items.splice(at, 0, items[at])
    else items[at] = mutateJson(random, items[at], depth + 1)
    return items
  }
  if (isObject(value) && Object.keys(value).length > 0 && !stay) {
    const members = new Map(Object.entries(value))
    const key = random.pick([...members.keys()])
    if (random.chance(0.15)) members.delete(key)
    else if (random.chance(0.15)) members.set(mutateText(random, key), members.get(key))
    else members.set(key, mutateJson(random, members.get(key), depth + 1))
    return Object.fromEntries(members)
  }
  if (typeof value === 'string' && random.chance(0.5)) return mutateText(random, value)
  if (typeof value === 'number' && random.chance(0.5))
    return value * 10 ** random.int(18) * (random.chance(0.5) ? -1 : 1)
  if (random.chance(0.1)) return wrapped(value, random.int(50))
  return random.pick(JSON_LEAVES)
}

/**
 * Changes bytes in one place: bits, bytes that end or lengthen varints, or pieces that are removed, repeated, moved or
 * cut.
 */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  const at = random.int(bytes.length + 1)
  const end = Math.min(bytes.length, at + 1 + random.int(16))
  const join = (...parts: Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts).subarray(0, MAX_LENGTH))
  const edge = Uint8Array.of(random.pick([0x00, 0x01, 0x7f, 0x80, 0xff, 0x08, 0x0a, 0x12]))
  switch (random.int(8)) {
    case 0: {
      const copy = bytes.slice()
      if (at < copy.length) copy[at] = copy[at]! ^ (1 << random.int(8))
      return copy
    }
    case 1: {
      const copy = bytes.slice()
      if (at < copy.length) copy[at] = random.int(256)
      return copy
    }
    case 2:
      return join(bytes.subarray(0, at), edge, bytes.subarray(at))
    case 3:
      return join(bytes.subarray(0, at), bytes.subarray(end))
    case 4:
      return bytes.slice(0, at)
    case 5:
      return join(bytes.subarray(0, end), bytes.subarray(at))
    case 6: {
      const from = random.int(bytes.length + 1)
      return join(bytes.subarray(0, at), bytes.subarray(from, from + random.int(32)), bytes.subarray(end))
    }
    default:
      return random.chance(0.1)
        ? join(bytes.subarray(0, at), new Uint8Array(random.int(LONG_RUN)).fill(edge[0]!), bytes.subarray(at))
        : join(bytes, edge)
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function wrapped(value: unknown, levels: number): unknown {
  let result = value
  for (let level = 0; level < levels; level++) result = level % 2 === 0 ? [result] : { a: result }
  return result
}

function clip(text: string): string {
  return text.length <= MAX_LENGTH ? text : text.slice(0, MAX_LENGTH)
}
