import { isUtf8 } from 'node:buffer'
import { HIDDEN } from '@tributary/config'
import { matchesGlob } from './glob.ts'
import { looksSecret } from './mask.ts'

/** In `records.mask.fields`: all names that look like a secret's. */
export const SECRETS = 'secrets'

/** A name of a member in a text of JSON. Quotes are escaped where the text of JSON stands in a string of JSON. */
const MEMBER = /(\\{0,15})"((?:[^"\\]|\\[^"]){1,256})\1"\s*:\s*/g
const END_OF_SCALAR = /[,}\]\s]/g

/** Bytes as the API shows them. */
type ShownBytes = { readonly text: string } | { readonly base64: string } | null
/** A value with its schema, as a preview shows it. */
type ShownData = { readonly schema: unknown; readonly value: unknown }
type Shown = ShownBytes | ShownData

/** Its value is bytes, or with a schema a value of Connect. */
type ShownHeader = { readonly name: string; readonly value: unknown; readonly schema?: unknown }

export interface ShownRecord {
  readonly key: Shown
  readonly value: Shown
  readonly headers: readonly ShownHeader[]
}

/**
 * Hides fields of records by their names, wherever the API shows records: what is in a record is for who may read records, and a
 * password in it is for nobody. It finds the members of JSON in keys, values and headers, whole or cut, and headers by their names.
 * Bytes of a format without names, such as Avro and Protobuf, are shown as they are.
 */
export class RecordMask {
  readonly #patterns: readonly string[]
  readonly #secrets: boolean

  /** `fields`: names of fields, case ignored; * stands for any characters, ? for one, and `secrets` for all that look like a secret's. */
  constructor(fields: readonly string[]) {
    const patterns = fields.map((field) => field.trim().toLowerCase()).filter((field) => field !== '')
    this.#secrets = patterns.includes(SECRETS)
    this.#patterns = patterns
  }

  hides(name: string): boolean {
    if (this.#secrets && looksSecret(name)) return true
    const lower = name.toLowerCase()
    return this.#patterns.some((pattern) => matchesGlob(pattern, lower))
  }

  /** A record of a preview, a tail or a dead letter, with `redacted: true` at what has something hidden. */
  record<T extends ShownRecord>(record: T): T {
    if (this.#patterns.length === 0) return record
    const headers = record.headers.map((header) => this.#header(header))
    return { ...record, key: this.#shown(record.key), value: this.#shown(record.value), headers }
  }

  /** The bytes of a key or a value; the same object if nothing is hidden. */
  bytes(bytes: Uint8Array): Uint8Array {
    // Otherwise each byte is one character, so that bytes that are no text stay what they are.
    const encoding = isUtf8(bytes) ? 'utf8' : 'latin1'
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(encoding)
    const masked = this.text(text)
    return masked === text ? bytes : Buffer.from(masked, encoding)
  }

  /** The bytes of a header. */
  header(name: string, bytes: Uint8Array): Uint8Array {
    return this.hides(name) ? Buffer.from(HIDDEN) : this.bytes(bytes)
  }

  /** A text, in which members of JSON may stand. An empty text hides nothing, and stays. */
  text(text: string): string {
    if (this.#patterns.length === 0 || !text.includes('"')) return text
    let masked = ''
    let from = 0
    for (const member of text.matchAll(MEMBER)) {
      const [{ length }, escape, name] = member as unknown as [string, string, string]
      const at = member.index + length
      // Within what is hidden already.
      if (member.index < from || !this.hides(unescaped(name))) continue
      const end = endOfValue(text, at, escape)
      if (end === at || text.slice(at, end) === `${escape}"${escape}"`) continue
      masked += `${text.slice(from, at)}${escape}"${HIDDEN}${escape}"`
      from = end
    }
    return masked + text.slice(from)
  }

  /** A value of JSON; the same object if nothing is hidden. */
  value(value: unknown): unknown {
    if (typeof value === 'string') return this.text(value)
    if (typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) {
      const items = value.map((item) => this.value(item))
      return items.every((item, at) => item === value[at]) ? value : items
    }
    const shown: Record<string, unknown> = {}
    let changed = false
    for (const [name, member] of Object.entries(value)) {
      const hides = member !== '' && this.hides(name)
      const hidden = hides ? HIDDEN : name === 'entries' ? this.#entries(member) : this.value(member)
      changed ||= hidden !== member
      // A field may be called __proto__.
      Object.defineProperty(shown, name, { value: hidden, enumerable: true, configurable: true, writable: true })
    }
    return changed ? shown : value
  }

  /** A map of Connect, whose names stand in pairs. */
  #entries(entries: unknown): unknown {
    if (!Array.isArray(entries)) return this.value(entries)
    const shown = entries.map((entry: unknown) => {
      const named = Array.isArray(entry) && entry.length === 2 && typeof entry[0] === 'string' && this.hides(entry[0])
      return named ? [entry[0], HIDDEN] : this.value(entry)
    })
    return shown.every((entry, at) => entry === entries[at]) ? entries : shown
  }

  #shown(shown: Shown): Shown {
    if (shown === null) return null
    if ('text' in shown) {
      const text = this.text(shown.text)
      return text === shown.text ? shown : { ...shown, text, ...REDACTED }
    }
    if ('base64' in shown) {
      const bytes = Buffer.from(shown.base64, 'base64')
      const masked = this.bytes(bytes)
      return masked === bytes ? shown : { ...shown, base64: Buffer.from(masked).toString('base64'), ...REDACTED }
    }
    const value = this.value(shown.value)
    return value === shown.value ? shown : { ...shown, value, ...REDACTED }
  }

  #header(header: ShownHeader): ShownHeader {
    const { name, value } = header
    if (!('schema' in header)) {
      // The size stays.
      const hidden = value === null ? null : { ...(value as object), base64: undefined, text: HIDDEN, ...REDACTED }
      return { ...header, value: this.hides(name) ? hidden : this.#shown(value as ShownBytes) }
    }
    const shown = this.hides(name) && value !== null ? HIDDEN : this.value(value)
    return shown === value ? header : { ...header, value: shown, ...REDACTED }
  }
}

const REDACTED = { redacted: true }

/** A name as its JSON stands for it. */
function unescaped(name: string): string {
  if (!name.includes('\\')) return name
  try {
    return JSON.parse(`"${name}"`) as string
  } catch {
    return name
  }
}

/** Where a value of JSON ends that begins at `at`; the end of the text for one that is cut. `escape`: before each quote. */
function endOfValue(text: string, at: number, escape: string): number {
  const quote = `${escape}"`
  if (text.startsWith(quote, at)) return endOfString(text, at + quote.length, escape)
  if (text[at] !== '{' && text[at] !== '[') {
    END_OF_SCALAR.lastIndex = at
    return END_OF_SCALAR.exec(text)?.index ?? text.length
  }
  let depth = 0
  for (let here = at; here < text.length; here++) {
    const character = text[here]
    if (character === '{' || character === '[') depth++
    else if ((character === '}' || character === ']') && --depth === 0) return here + 1
    else if (text.startsWith(quote, here)) here = endOfString(text, here + quote.length, escape) - 1
  }
  return text.length
}

/** The end of a string whose quotes have `escape` before them. */
function endOfString(text: string, at: number, escape: string): number {
  for (let end = text.indexOf('"', at); end >= 0; end = text.indexOf('"', end + 1)) {
    let backslashes = 0
    while (end - backslashes > at && text[end - backslashes - 1] === '\\') backslashes++
    if (escape === '' ? backslashes % 2 === 0 : backslashes <= escape.length) return end + 1
  }
  return text.length
}
