import { descriptorError } from '../model/errors.ts'

export type TokenKind = 'name' | 'number' | 'string' | 'symbol' | 'end'

export interface Token {
  readonly kind: TokenKind
  /** As written; of a string, without its quotes and with its escapes. '' at the end. */
  readonly text: string
  readonly line: number
}

const SPACE = /(?:[\s\uFEFF]+|\/\/[^\n]*|\/\*[^]*?\*\/)+/y
const TOKENS: readonly (readonly [TokenKind, RegExp])[] = [
  ['name', /[A-Za-z_]\w*/y],
  ['number', /(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)/y],
  ['string', /"(?:[^"\\\n]|\\[^\n])*"|'(?:[^'\\\n]|\\[^\n])*'/y],
  ['symbol', /[^]/y],
]

/** Cuts .proto text into tokens (protobuf documentation, "Language Specification", lexical elements). */
export class ProtoTokens {
  readonly #text: string
  readonly #name: string
  #at = 0
  #line = 1
  #next: Token

  /** `name`: of the file, for errors. */
  constructor(text: string, name: string) {
    this.#text = text
    this.#name = name
    this.#next = this.#read()
  }

  /** The next token, which stays the next one. */
  get peek(): Token {
    return this.#next
  }

  take(): Token {
    const token = this.#next
    this.#next = this.#read()
    return token
  }

  /** Takes the next token if it is this name or symbol. */
  skip(text: string): boolean {
    const { kind } = this.#next
    const found = this.#next.text === text && (kind === 'symbol' || kind === 'name')
    if (found) this.take()
    return found
  }

  expect(text: string): void {
    if (!this.skip(text)) throw this.unexpected(`"${text}"`)
  }

  takeKind(kind: TokenKind, what: string): string {
    if (this.#next.kind !== kind) throw this.unexpected(what)
    return this.take().text
  }

  /** The error for the next token. `wanted`: what the grammar has there. */
  unexpected(wanted: string): Error {
    const { kind, text } = this.#next
    const found = kind === 'end' ? 'the text ends' : `there is "${text.slice(0, 60)}"`
    return this.error(`${found} where ${wanted} should be`)
  }

  error(why: string): Error {
    return descriptorError(`Invalid proto descriptor: ${this.#name}, line ${this.#next.line}: ${why}`)
  }

  #read(): Token {
    this.#advance(this.#match(SPACE))
    const line = this.#line
    if (this.#at === this.#text.length) return { kind: 'end', text: '', line }
    for (const [kind, form] of TOKENS) {
      const text = this.#match(form)
      if (text === '') continue
      this.#advance(text)
      return { kind, text: kind === 'string' ? text.slice(1, -1) : text, line }
    }
    throw new Error('every character is a token')
  }

  #match(form: RegExp): string {
    form.lastIndex = this.#at
    return form.exec(this.#text)?.[0] ?? ''
  }

  #advance(text: string): void {
    this.#at += text.length
    for (let i = text.indexOf('\n'); i >= 0; i = text.indexOf('\n', i + 1)) this.#line++
  }
}

const ESCAPE = /\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([^]))|([^\\]+)/g
const LETTERS: Readonly<Record<string, number>> = { a: 7, b: 8, f: 12, n: 10, r: 13, t: 9, v: 11 }

/** The bytes of a string literal: `\377` and `\xff` are bytes, `\u00e9` and plain characters are UTF-8. */
export function stringBytes(text: string): Buffer {
  const parts: Buffer[] = []
  // Two escapes may be the halves of one character.
  const joined = text.replace(
    /(?<!\\)((?:\\\\)*)\\u([dD][89abAB]\w\w)\\u([dD][c-fC-F]\w\w)/g,
    (_, before: string, ...halves) => {
      const [high, low] = halves.slice(0, 2).map((half) => parseInt(half as string, 16))
      return before + String.fromCharCode(high!, low!)
    },
  )
  for (const [, octal, hex, short, long, letter, plain] of joined.matchAll(ESCAPE)) {
    const code = short ?? long
    if (plain !== undefined) parts.push(Buffer.from(plain))
    else if (code !== undefined) parts.push(Buffer.from(codePoint(parseInt(code, 16))))
    else if (letter !== undefined) parts.push(Buffer.from([LETTERS[letter] ?? letter.charCodeAt(0)]))
    else parts.push(Buffer.from([octal === undefined ? parseInt(hex!, 16) : parseInt(octal, 8) & 0xff]))
  }
  return Buffer.concat(parts)
}

function codePoint(code: number): string {
  return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd'
}
