/** A regular expression that cannot be used. The message says what is wrong and what to write instead; it follows a colon. */
export class PatternError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'PatternError'
  }
}

/** Contents of RE2's character classes for the classes of POSIX, as Java writes them: `\p{Alpha}`. */
const POSIX: Readonly<Record<string, string>> = {
  Lower: 'a-z',
  Upper: 'A-Z',
  ASCII: '\\x00-\\x7F',
  Alpha: 'a-zA-Z',
  Digit: '0-9',
  Alnum: '0-9a-zA-Z',
  Punct: '!-/:-@\\[-`{-~',
  Graph: '!-~',
  Print: ' -~',
  Blank: ' \\t',
  Cntrl: '\\x00-\\x1F\\x7F',
  XDigit: '0-9a-fA-F',
  Space: '\\s\\x0B',
}

const BACK =
  'refers back to a group, which needs time out of proportion to the text; repeat the expression of the group'
const AROUND =
  'looks around, which needs time out of proportion to the text; match the text itself, or use two settings'
const KEEPS = 'keeps what it matched, which regular expressions of linear time cannot; use a plain quantifier or (?:…)'

/** A regular expression in RE2's syntax. */
export interface Translated {
  readonly text: string
  /** The expression without its `^` and `$`, when these two frame all of it; else null. */
  readonly exact: string | null
}

/** Translates the syntax that Java and JavaScript share into RE2's. `multiline`: `^` and `$` match at line breaks too. */
export function translate(source: string, multiline: boolean): Translated {
  return new Translator(source).translate(multiline)
}

class Translator {
  readonly #source: string
  #at = 0
  #depth = 0
  /** `^` and `$` may mean something else than the ends of the text, or belong to one alternative alone. */
  #unframed = false

  constructor(source: string) {
    this.#source = source
  }

  translate(multiline: boolean): Translated {
    const parts: string[] = []
    while (this.#at < this.#source.length) parts.push(this.#next())
    const framed = !multiline && !this.#unframed && parts.length > 2 && parts[0] === '^' && parts.at(-1) === '$'
    return { text: parts.join(''), exact: framed && !/^[*+?{]/.test(parts[1]!) ? parts.slice(1, -1).join('') : null }
  }

  #next(): string {
    const char = this.#source[this.#at]!
    if (char === '\\') return this.#escape(false)
    if (char === '[') return this.#class()
    if (char === '(') return this.#group()
    this.#at++
    if (char === ')') this.#depth--
    if (char === '|' && this.#depth === 0) this.#unframed = true
    if ('*+?}'.includes(char) && this.#source[this.#at] === '+') this.#possessive(char)
    return char
  }

  #possessive(char: string): void {
    const start = char === '}' ? /\{\d+(?:,\d*)?\}$/.exec(this.#source.slice(0, this.#at))?.[0] : char
    if (start !== undefined) throw this.#refused(`${start}+`, KEEPS)
  }

  #group(): string {
    this.#depth++
    const rest = this.#source.slice(this.#at)
    if (/^\(\?<?[=!]/.test(rest)) throw this.#refused(/^\(\?<?./.exec(rest)![0], AROUND)
    if (rest.startsWith('(?>')) throw this.#refused('(?>', KEEPS)
    if (!rest.startsWith('(?')) return this.#take('(')
    const named = /^\(\?<([A-Za-z_][A-Za-z0-9_]*)>/.exec(rest)
    if (named !== null) return this.#take(named[0], `(?P<${named[1]}>`)
    const flags = /^\(\?([imsu]*)(?:-([imsu]+))?([:)])/.exec(rest)
    if (flags === null) {
      throw this.#refused(
        rest.slice(0, 4),
        'is no group: use (…), (?:…), (?<name>…), or the flags i, m and s as in (?i)',
      )
    }
    const [all, on = '', off = '', end] = flags
    if (`${on}${off}`.includes('m')) this.#unframed = true
    if (end === ')') this.#depth--
    // Upper and lower case are always those of Unicode, which Java's flag u asks for.
    const kept = `${on.replaceAll('u', '')}${off.replaceAll('u', '') === '' ? '' : `-${off.replaceAll('u', '')}`}`
    return this.#take(all, end === ')' && kept === '' ? '' : `(?${kept}${end}`)
  }

  #class(): string {
    let text = this.#take('[')
    if (this.#source[this.#at] === '^') text += this.#take('^')
    if (this.#source[this.#at] === ']')
      throw this.#refused(`${text}]`, 'is an empty class in JavaScript alone; write \\] for the bracket')
    for (;;) {
      const char = this.#source[this.#at]
      if (char === undefined)
        throw this.#refused('[', 'begins a class that does not end; add ], or write \\[ for the bracket')
      if (char === ']') return text + this.#take(']')
      if (char === '[') throw this.#refused('[ inside of […]', 'joins classes in Java alone; write \\[ for the bracket')
      if (this.#source.startsWith('&&', this.#at))
        throw this.#refused('&&', 'cuts classes in Java alone; write one class, or \\& for the sign')
      text += char === '\\' ? this.#escape(true) : this.#take(char)
    }
  }

  /** An escape sequence at the current place. */
  #escape(inClass: boolean): string {
    const rest = this.#source.slice(this.#at)
    const char = rest[1]
    if (char === undefined) throw this.#refused('\\', 'at the end escapes nothing; write \\\\ for a backslash')
    if (char === 'Q') return this.#quoted()
    if (/[1-9k]/.test(char)) throw this.#refused(rest.slice(0, 2), BACK)
    if (char === 'p' || char === 'P') return this.#property(rest, inClass)
    if (char === 's') return this.#take('\\s', inClass ? '\\s\\x0B' : '[\\s\\x0B]')
    if (char === 'S' && !inClass) return this.#take('\\S', '[^\\s\\x0B]')
    if (/[dDwWS]/.test(char) || (!inClass && /[bBAz]/.test(char)) || /[tnrfa]/.test(char))
      return this.#take(`\\${char}`)
    const code = codeOf(rest)
    if (code !== null) return this.#take(code.escape, `\\x{${code.value.toString(16)}}`)
    if (/[A-Za-z0-9]/.test(char))
      throw this.#refused(
        rest.slice(0, 2),
        'is not among the escapes that can be used; write \\xhh or \\uhhhh for a character',
      )
    const literal = String.fromCodePoint(rest.codePointAt(1)!)
    return this.#take(`\\${literal}`, literal.codePointAt(0)! < 0x80 ? `\\${literal}` : literal)
  }

  #quoted(): string {
    const [all, text] = /^\\Q([^]*?)(?:\\E|$)/.exec(this.#source.slice(this.#at))!
    this.#at += all.length
    return text!.replaceAll(/[!-/:-@[-`{-~]/g, '\\$&')
  }

  /** `\p{Alpha}`, `\p{IsLatin}`, `\p{script=Latin}`, `\p{L}`. RE2 knows scripts and general categories. */
  #property(rest: string, inClass: boolean): string {
    const [all, name] = /^\\[pP](?:\{([\w=]+)\}|[A-Z])/.exec(rest) ?? []
    if (all === undefined)
      throw this.#refused(rest.slice(0, 2), 'names no class of characters; write \\p{L} or \\p{Alpha}')
    if (name === undefined) return this.#take(all)
    const members = Object.hasOwn(POSIX, name) ? POSIX[name] : undefined
    if (members === undefined) {
      return this.#take(all, `${all.slice(0, 2)}{${name.replace(/^(?:Is|(?:script|sc|general_category|gc)=)/i, '')}}`)
    }
    if (all[1] === 'p') return this.#take(all, inClass ? members : `[${members}]`)
    if (inClass) throw this.#refused(all, 'cannot stand in a class; write \\p{…} or what the class contains')
    return this.#take(all, `[^${members}]`)
  }

  #take(text: string, translated = text): string {
    this.#at += text.length
    return translated
  }

  #refused(what: string, why: string): PatternError {
    return new PatternError(`${what} in the regular expression ${why}`)
  }
}

/** The character that an escape sequence at the start of the text gives by its number: `\x41`, `é`, `\cA`, `\0`. */
function codeOf(text: string): { escape: string; value: number } | null {
  const pair = /^\\u([dD][89abAB][\da-fA-F]{2})\\u([dD][c-fC-F][\da-fA-F]{2})/.exec(text)
  if (pair !== null) {
    const value = String.fromCharCode(parseInt(pair[1]!, 16), parseInt(pair[2]!, 16)).codePointAt(0)!
    return { escape: pair[0], value }
  }
  const hex = /^\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|[xu]\{([\da-fA-F]{1,6})\})/.exec(text)
  if (hex !== null) return { escape: hex[0], value: parseInt(hex[1] ?? hex[2] ?? hex[3]!, 16) }
  const control = /^\\c([A-Za-z])/.exec(text)
  if (control !== null) return { escape: control[0], value: control[1]!.toUpperCase().charCodeAt(0) - 64 }
  const octal = /^\\0([0-3]?[0-7]{1,2})?/.exec(text)
  if (octal !== null) return { escape: octal[0], value: parseInt(octal[1] ?? '0', 8) }
  return text.startsWith('\\e') ? { escape: '\\e', value: 0x1b } : null
}
