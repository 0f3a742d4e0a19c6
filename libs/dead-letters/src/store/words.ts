/** Bytes of keys and of values whose words are indexed. */
const PAYLOAD_BYTES = 4096
const MAX_WORDS = 64

/**
 * The text as SQLite's tokenizer `ascii` splits it into words: runs of letters and digits, in lower case and without accents.
 * That tokenizer takes every other character beyond ASCII for a letter.
 */
export function searchable(text: string): string {
  if (/^[\x01-\x7f]*$/.test(text)) return text
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
}

/** What is searched of a key or a value. */
export function searchableBytes(bytes: Uint8Array | null): string {
  if (bytes === null) return ''
  return searchable(Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, PAYLOAD_BYTES)).toString())
}

/** A word that is looked for. */
export interface Word {
  readonly text: string
  /** Longer words that begin with it are found, too. */
  readonly isPrefix: boolean
}

/** The words that are looked for. A `*` right after a word makes it the beginning of one. No more than 64 count. */
export function wordsOf(query: string): Word[] {
  const words: Word[] = []
  for (const part of query.split(/(?<=\*)/)) {
    const found = searchable(part)
      .toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .filter((word) => word !== '')
    const prefix = /[\p{L}\p{N}\p{M}]\*$/u.test(part)
    found.forEach((text, i) => words.push({ text, isPrefix: prefix && i === found.length - 1 }))
  }
  return words.slice(0, MAX_WORDS)
}

/** All words, as an expression of FTS5: it holds nothing of the user's text but letters and digits in quotes. null: there are none. */
export function matchExpression(query: string): string | null {
  const words = wordsOf(query)
  if (words.length === 0) return null
  return words.map(({ text, isPrefix }) => `"${text}"${isPrefix ? '*' : ''}`).join(' AND ')
}
