import { stringifyJson } from '@tributary/config'
import type { Schema } from '@tributary/connect-api'

interface Known {
  readonly prefix: string
  readonly schema: Schema
}

/**
 * The schemas that were read, at most `size`: equal ones are the same object. Records of a topic mostly begin with the same text
 * `{"schema":…,"payload":`, so that text is recognized without being parsed again.
 */
export class KnownSchemas {
  readonly #size: number
  readonly #byText = new Map<string, Schema>()
  #last: Known | null = null

  constructor(size: number) {
    this.#size = size
  }

  /** The schema with which a text begins; null if it is not the one of the last text that was kept. */
  find(text: string): Known | null {
    return this.#last !== null && text.startsWith(this.#last.prefix) ? this.#last : null
  }

  schemaOf(json: unknown, read: (json: unknown) => Schema): Schema {
    const text = stringifyJson(json)
    let schema = this.#byText.get(text)
    if (schema !== undefined) {
      // The end of the map is what was used last.
      this.#byText.delete(text)
    } else {
      schema = read(json)
      if (this.#byText.size >= this.#size) this.#byText.delete(this.#byText.keys().next().value!)
    }
    if (this.#size > 0) this.#byText.set(text, schema)
    return schema
  }

  /** `text` is a whole envelope. Its schema is remembered if nothing but `,"payload":` follows it. */
  keep(text: string, schema: Schema): void {
    const start = '{"schema":'
    if (!text.startsWith(start)) return
    const end = endOfObject(text, start.length)
    const between = ',"payload":'
    if (end > 0 && text.startsWith(between, end)) this.#last = { prefix: text.slice(0, end + between.length), schema }
  }
}

/** The index behind the object that begins at `from`, in text that is JSON. 0: there is no object. */
function endOfObject(text: string, from: number): number {
  if (text[from] !== '{') return 0
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const char = text[at]
    if (char === '"') {
      for (at++; text[at] !== '"'; at++) if (text[at] === '\\') at++
    } else if (char === '{') depth++
    else if (char === '}' && --depth === 0) return at + 1
  }
  return 0
}
