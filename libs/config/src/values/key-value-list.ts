import { javaTrim } from './parse-value.ts'

/** What is wrong with a `k1:v1,k2:v2` text. The message never contains a value, because values are often secrets. */
export class KeyValueListError extends Error {
  override readonly name = 'KeyValueListError'
}

/**
 * Parses `k1:v1,k2:v2` into its entries, in order. The first colon separates key and value; both are trimmed. A value
 * that contains commas is written in double quotes, `k:"a,b"`; inside the quotes `\"` is a quote and `\\` a backslash.
 * Empty entries are left out. Throws KeyValueListError.
 */
export function parseKeyValueList(text: string): [key: string, value: string][] {
  const entries: [string, string][] = []
  let at = 0
  while (at < text.length) {
    const comma = indexOrEnd(text, ',', at)
    const colon = text.indexOf(':', at)
    if (colon < 0 || colon > comma) {
      if (javaTrim(text.slice(at, comma)) !== '')
        throw new KeyValueListError(`entry ${entries.length + 1} has no colon`)
      at = comma + 1
      continue
    }
    const key = javaTrim(text.slice(at, colon))
    if (key === '') throw new KeyValueListError(`entry ${entries.length + 1} has no key`)
    const start = skipBlanks(text, colon + 1)
    const [value, end] = text[start] === '"' ? quoted(text, start, key) : plain(text, colon + 1)
    entries.push([key, value])
    at = end + 1
  }
  return entries
}

function plain(text: string, from: number): [string, number] {
  const end = indexOrEnd(text, ',', from)
  return [javaTrim(text.slice(from, end)), end]
}

/** Parses the quoted value that opens at `from`. Returns the value and the position of the comma after it. */
function quoted(text: string, from: number, key: string): [string, number] {
  const parts: string[] = []
  let start = from + 1
  for (let at = start; at < text.length; at++) {
    const char = text[at]
    if (char === '\\' && (text[at + 1] === '"' || text[at + 1] === '\\')) {
      parts.push(text.slice(start, at))
      start = ++at
    } else if (char === '"') {
      parts.push(text.slice(start, at))
      const end = skipBlanks(text, at + 1)
      if (end < text.length && text[end] !== ',')
        throw new KeyValueListError(`text follows the quoted value of "${key}"`)
      return [parts.join(''), end]
    }
  }
  throw new KeyValueListError(`the quoted value of "${key}" does not end`)
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (at < text.length && text.charCodeAt(at) <= 0x20) at++
  return at
}

function indexOrEnd(text: string, char: string, from: number): number {
  const at = text.indexOf(char, from)
  return at < 0 ? text.length : at
}
