import { MIN_INDEXED_LENGTH, type Indexed } from './secret-index.ts'

/** Part of a name that says that its value is a secret. */
export const SECRET_NAME = 'token|key|secret|password|passphrase|passwd|passcode|auth|sign|credential|jwt|cookie'

/** Of a longer value only this many characters at each end are searched for. The memory of a secret is bounded so. */
const MAX_LENGTH = 4096

/** Of one value no more secrets than this are searched for. */
const MAX_PARTS = 256

/** A word in a value that is no secret by itself is searched for from this many characters on, if it has a digit. */
const LONG_WORD = /[\w+=.~-]{16,}/g

const NAMED = new RegExp(
  `(?:${SECRET_NAME})[\\w.-]{0,64}["']?\\s*[:=]\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|'([^']*)'|([^\\s,;&"'}]+))`,
  'gi',
)
const SCHEME = /\b(?:bearer|token)\s+([^\s,;"']+)/gi
const BASIC = /\bbasic\s+([\w+/-]+=*)/gi
/** A URL's user name and password, or the user name alone, which then is the secret. */
const USER_INFO = /:\/\/(?:[^\s/?#@:]*:)?([^\s/?#@]+)@/g
const PEM_LINE = /^-----(?:BEGIN|END) [A-Z0-9 ]+-----$/

/** Words of ordinary sentences. A beginning or an end of a secret that is one of them is not hidden, as it tells nothing. */
export const PLAIN_WORDS: ReadonlySet<string> = new Set(
  'password passphrase username credentials authorization connection connector websocket subscribe tributary'.split(
    ' ',
  ),
)

/** What is searched for when the value of a setting must not be shown: the value, and the secrets in it. */
export function secretsIn(value: string): Indexed[] {
  const text = value.trim()
  const found: Indexed[] = [{ text, pieces: !isComposite(text) }]
  for (const secret of namedIn(text)) found.push({ text: secret, pieces: !isComposite(secret) })
  if (isComposite(text)) {
    if (/-----BEGIN /.test(text)) {
      for (const line of text.split('\n').map((each) => each.trim())) {
        if (!PEM_LINE.test(line)) found.push({ text: line, pieces: true })
      }
    } else if (!text.startsWith('/')) {
      const [...words] = text.replaceAll(/\w{1,20}:\/\/[^\s/?#]*/g, '').matchAll(LONG_WORD)
      for (const [word] of words) if (/\d/.test(word)) found.push({ text: word, pieces: true })
    }
  }
  return found.slice(0, MAX_PARTS).flatMap(bounded)
}

/** `user:password@` of the URLs in a text that may be shown otherwise. */
export function loginsIn(text: string): string[] {
  return [...text.matchAll(USER_INFO)].flatMap(([, login]) => [login!, decoded(login!)])
}

function namedIn(text: string): Set<string> {
  const found = new Set<string>(loginsIn(text))
  for (const [, double, single, bare] of text.matchAll(NAMED)) found.add(fromJson(double) ?? single ?? bare ?? '')
  for (const [, token] of text.matchAll(SCHEME)) found.add(token!)
  for (const [, basic] of text.matchAll(BASIC)) found.add(passwordOf(Buffer.from(basic!, 'base64').toString()))
  // `user:password`
  const login = /^[^\s:/{[]+:([^\s/].*)$/s.exec(text)
  if (login) found.add(login[1]!.trim())
  found.delete('')
  return found
}

/** Everything after the first colon (RFC 7617). */
export function passwordOf(login: string): string {
  return login.slice(login.indexOf(':') + 1)
}

/** Whether a value has words that are no secret, so that its beginning and its end may stand in any sentence: JSON, PEM, a URL, a path, a reference `${…}`. */
function isComposite(text: string): boolean {
  return /^[{[</]|\n|\$\{|:\/\/|^[\w.-]+\s*:\s+\S|^(?:bearer|basic|token)\s/i.test(text)
}

/** What stands between the quotes of a JSON string, or as it is. */
function fromJson(quoted: string | undefined): string | undefined {
  try {
    return quoted === undefined ? undefined : (JSON.parse(`"${quoted}"`) as string)
  } catch {
    return quoted
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    // A percent sign that escapes nothing stands for itself.
    return text
  }
}

function bounded({ text, pieces }: Indexed): Indexed[] {
  if (text.length <= 2 * MAX_LENGTH) return [{ text, pieces }]
  return [text.slice(0, MAX_LENGTH), text.slice(-MAX_LENGTH)].map((part) => ({ text: part, pieces: true }))
}

/**
 * The texts as which a secret may stand in another text: itself, hexadecimal, base64 (RFC 4648) wherever it begins in what is
 * encoded, as in `user:password`, and each of these after a form has encoded it. The index ignores case and the kind of base64, and
 * reads the escapes of URLs and JSON.
 */
export function formsOf({ text, pieces }: Indexed): Indexed[] {
  const plain = new Set([text, encodedAsForm(text), text.replaceAll(' ', '+')])
  const forms = new Set(plain)
  for (const each of plain) {
    const bytes = Buffer.from(each, 'utf8')
    forms.add(bytes.toString('hex'))
    forms.add(bytes.toString('latin1'))
    for (let before = 0; before < 3; before++) forms.add(base64After(bytes, before))
  }
  return [...forms].filter((form) => form.length >= MIN_INDEXED_LENGTH).map((form) => ({ text: form, pieces }))
}

/** The base64 of bytes that follow `before` other bytes, without the characters that depend on what stands before and after. */
function base64After(bytes: Buffer, before: number): string {
  const encoded = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
  return encoded.slice(before === 0 ? 0 : before + 1, Math.floor(((before + bytes.length) * 8) / 6))
}

function encodedAsForm(text: string): string {
  return new URLSearchParams([['', text]]).toString().slice(1)
}
