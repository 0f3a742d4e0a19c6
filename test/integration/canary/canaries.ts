import { randomBytes } from 'node:crypto'

/** Every canary begins with `HEAD` and ends with `TAIL`, so that a few needles find all of them, cut ones too. */
const HEAD = `cnry${letters(10)}`
const TAIL = `${letters(10)}yrnc`

/** A new secret: 14 characters that all have at the start, 20 of its own, and 14 that all have at the end. */
export function newCanary(): string {
  return `${HEAD}${letters(20)}${TAIL}`
}

function letters(length: number): string {
  return [...randomBytes(length)].map((byte) => 'abcdefghjkmnpqrstuvwxyz0123456789'[byte % 33]).join('')
}

/**
 * What shows that a text has eight characters or more of the beginning or the end of a canary: plain, hexadecimal, base64 at each of
 * its three places. Everything in lower case. Escapes of URLs and JSON leave letters and digits as they are.
 */
const NEEDLES: ReadonlyMap<string, string> = new Map(
  [HEAD, TAIL].flatMap((end) => {
    const eight = end === HEAD ? end.slice(0, 8) : end.slice(-8)
    const base64 = [0, 1, 2].map((before): [string, string] => {
      const encoded = Buffer.from('\0'.repeat(before) + end).toString('base64')
      // Without the characters that depend on what stands before and after.
      return [encoded.slice(4, 16).toLowerCase(), `base64 after ${before} bytes`]
    })
    return [[eight, 'plain'], [Buffer.from(eight).toString('hex'), 'hex'], ...base64] as [string, string][]
  }),
)

/** The places at which a text shows a canary, each with its surroundings. */
export function leaksIn(text: string): string[] {
  const lower = text.toLowerCase()
  return [...NEEDLES].flatMap(([needle, form]) => {
    const at = lower.indexOf(needle)
    return at < 0 ? [] : [`${form}: …${text.slice(Math.max(0, at - 200), at + 100)}…`]
  })
}

/** A text as a server may repeat it: as it is, cut, in upper case, hexadecimal, base64, escaped as in URLs and in JSON. */
export function echoes(text: string): string[] {
  const bytes = Buffer.from(text)
  return [
    text,
    text.toUpperCase(),
    bytes.toString('hex'),
    bytes.toString('hex').toUpperCase(),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    Buffer.from(`:${text}`).toString('base64'),
    Buffer.from(`::${text}`).toString('base64'),
    encodeURIComponent(text),
    JSON.stringify({ text: JSON.stringify(text) }),
  ].flatMap((form) => [form, form.slice(0, -5), form.slice(5)])
}
