import { createHash, randomBytes } from 'node:crypto'

/** What an API key looks like: `trib_`, the id that finds it, and 32 random bytes in base64url. */
const FORM = /^trib_([A-Za-z0-9]{1,64})_([A-Za-z0-9_-]{43})$/
const SECRET_BYTES = 32
const ID_BYTES = 8

export interface ApiKeyParts {
  readonly id: string
  /** SHA-256 of the secret part's text. */
  readonly hash: Buffer
}

/** A new key. `text` is shown once and not stored. */
export function newApiKey(): ApiKeyParts & { readonly text: string } {
  const id = randomBytes(ID_BYTES).toString('hex')
  const secret = randomBytes(SECRET_BYTES).toString('base64url')
  return { id, hash: digest(secret), text: `trib_${id}_${secret}` }
}

/** Whether a bearer token is meant as an API key. */
export function isApiKey(text: string): boolean {
  return text.startsWith('trib_')
}

/** null for a text that is no API key. */
export function parseApiKey(text: string): ApiKeyParts | null {
  const [, id, secret] = FORM.exec(text) ?? []
  return id === undefined || secret === undefined ? null : { id, hash: digest(secret) }
}

/**
 * A plain hash is enough: a password's hash is slow to hinder guessing, and nobody guesses 256 random bits. It costs 3 µs
 * a request.
 */
function digest(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
