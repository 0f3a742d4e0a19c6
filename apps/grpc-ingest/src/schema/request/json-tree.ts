/**
 * JSON as a tree that keeps what JSON.parse drops: the text of a number (for integers above 2^53) and members that
 * occur twice. Strict RFC 8259.
 */
export type JsonNode =
  | { readonly kind: 'object'; readonly members: readonly (readonly [name: string, value: JsonNode])[] }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'string'; readonly text: string }
  | { readonly kind: 'number'; readonly text: string }
  | { readonly kind: 'boolean'; readonly text: 'true' | 'false' }
  | { readonly kind: 'null' }

const MAX_DEPTH = 100
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y
const SPACE = /[ \t\n\r]*/y

/** Parses one JSON value with nothing after it. Throws SyntaxError with the position. */
export function parseJsonTree(text: string): JsonNode {
  const parser = new Parser(text)
  const node = parser.value(0)
  parser.end()
  return node
}

/** The node as compact JSON for error messages, cut at 100 characters. */
export function showNode(node: JsonNode): string {
  const text = show(node)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

function show(node: JsonNode): string {
  switch (node.kind) {
    case 'object':
      return `{${node.members.map(([name, value]) => `${JSON.stringify(name)}:${show(value)}`).join(',')}}`
    case 'array':
      return `[${node.items.map(show).join(',')}]`
    case 'string':
      return JSON.stringify(node.text)
    case 'null':
      return 'null'
    default:
      return node.text
  }
}

class Parser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  value(depth: number): JsonNode {
    if (depth > MAX_DEPTH) throw this.#error(`nested deeper than ${MAX_DEPTH}`)
    this.#match(SPACE)
    switch (this.#text[this.#at]) {
      case '{':
        return this.#object(depth)
      case '[':
        return this.#array(depth)
      case '"':
        return { kind: 'string', text: this.#string() }
      case 't':
        return this.#word('true', { kind: 'boolean', text: 'true' })
      case 'f':
        return this.#word('false', { kind: 'boolean', text: 'false' })
      case 'n':
        return this.#word('null', { kind: 'null' })
      default: {
        const number = this.#match(NUMBER)
        if (number === null) throw this.#error('expected a value')
        return { kind: 'number', text: number }
      }
    }
  }

  end(): void {
    this.#match(SPACE)
    if (this.#at < this.#text.length) throw this.#error('unexpected text after the value')
  }

  #object(depth: number): JsonNode {
    const members: [string, JsonNode][] = []
    this.#at++
    if (this.#take('}')) return { kind: 'object', members }
    do {
      this.#match(SPACE)
      const name = this.#string()
      if (!this.#take(':')) throw this.#error('expected ":"')
      members.push([name, this.value(depth + 1)])
    } while (this.#take(','))
    if (!this.#take('}')) throw this.#error('expected "," or "}"')
    return { kind: 'object', members }
  }

  #array(depth: number): JsonNode {
    const items: JsonNode[] = []
    this.#at++
    if (this.#take(']')) return { kind: 'array', items }
    do items.push(this.value(depth + 1))
    while (this.#take(','))
    if (!this.#take(']')) throw this.#error('expected "," or "]"')
    return { kind: 'array', items }
  }

  #string(): string {
    const literal = this.#match(STRING)
    if (literal === null) throw this.#error('expected a string')
    return JSON.parse(literal) as string
  }

  #word(word: string, node: JsonNode): JsonNode {
    if (!this.#text.startsWith(word, this.#at)) throw this.#error('expected a value')
    this.#at += word.length
    return node
  }

  /** Skips white space, and `character` if it follows. Returns whether it did. */
  #take(character: string): boolean {
    this.#match(SPACE)
    if (this.#text[this.#at] !== character) return false
    this.#at++
    return true
  }

  #match(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at
    const match = pattern.exec(this.#text)
    if (!match) return null
    this.#at += match[0].length
    return match[0]
  }

  #error(why: string): SyntaxError {
    const line = this.#text.slice(0, this.#at).split('\n').length
    return new SyntaxError(`${why} at line ${line}, position ${this.#at}`)
  }
}
