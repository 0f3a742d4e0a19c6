/** A part of a pattern: text that stands for itself, or a field by its letter, as often as `count`. */
export type DatePart = { readonly text: string } | { readonly letter: DateLetter; readonly count: number }

const LETTERS = 'GyMdkHmsSEDFwWahKzZYuXL'
export type DateLetter =
  | ('G' | 'y' | 'M' | 'd' | 'k' | 'H' | 'm' | 's' | 'S' | 'E' | 'D' | 'F' | 'w' | 'W')
  | ('a' | 'h' | 'K' | 'z' | 'Z' | 'Y' | 'u' | 'X' | 'L')

/** A pattern that java.text.SimpleDateFormat refuses, in its words. */
export class DatePatternError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'DatePatternError'
  }
}

/** Reads a pattern of java.text.SimpleDateFormat. Throws DatePatternError. */
export function parseDatePattern(pattern: string): DatePart[] {
  const parts: DatePart[] = []
  let text = ''
  const endText = (): void => {
    if (text !== '') parts.push({ text })
    text = ''
  }
  for (let at = 0; at < pattern.length;) {
    const char = pattern[at]!
    if (char === "'") {
      const quoted = quotedText(pattern, at)
      text += quoted.text
      at = quoted.next
    } else if (/[a-zA-Z]/.test(char)) {
      if (!LETTERS.includes(char)) throw new DatePatternError(`Illegal pattern character '${char}'`)
      const start = at
      while (pattern[at] === char) at++
      endText()
      if (char === 'X' && at - start > 3) {
        throw new DatePatternError(`invalid ISO 8601 format: length=${at - start}`)
      }
      parts.push({ letter: char as DateLetter, count: at - start })
    } else {
      text += char
      at++
    }
  }
  endText()
  return parts
}

/** The text in quotes that begins at `start`. Two quotes, also within quotes, are one. */
function quotedText(pattern: string, start: number): { text: string; next: number } {
  if (pattern[start + 1] === "'") return { text: "'", next: start + 2 }
  let text = ''
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern[at] !== "'") text += pattern[at]
    else if (pattern[at + 1] !== "'") return { text, next: at + 1 }
    else {
      text += "'"
      at++
    }
  }
  throw new DatePatternError('Unterminated quote')
}
