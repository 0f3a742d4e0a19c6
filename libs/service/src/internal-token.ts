import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { ConfigException, type SecretLike } from '@tributary/config'

/** The one header of a request from process to process. */
export const INTERNAL_TOKEN = 'x-tributary-token'

/** A token is accepted for this time, in ms. A request is signed when it is sent, so it needs no more. */
export const TOKEN_LIFE_MS = 30_000
/** By how much the clock of the sender may be ahead of, or behind, that of the receiver, in ms. */
export const CLOCK_SKEW_MS = 5_000
/** Nonces are remembered until their tokens expire, and at most so many: 1,000 requests a second and more. */
const MAX_NONCES = 50_000
/** A random key of letters and digits then has 95 bits. */
const LEAST_CHARACTERS = 16
const MAX_TOKEN_LENGTH = 16_384
const VERSION = 'v1'

/** What is signed of a request. */
export interface SignedRequest {
  readonly method: string
  /** Path and query, as in the request line. */
  readonly path: string
}

/** What a sender says in its token. */
export interface TokenClaims {
  /** The sender's worker id, or `control-plane@host:port`. */
  readonly from: string
  /** host:port that the sender dialled: a token for one process is of no use at another. */
  readonly to: string
  /** On whose behalf the request is sent, as JSON; absent: on the sender's own. */
  readonly caller?: unknown
}

/** A request whose token is right. The body is judged later, when it has arrived. */
export interface VerifiedRequest extends TokenClaims {
  /** Whether these are the bytes that the sender signed. */
  hasBody(body: string | Uint8Array): boolean
}

interface Payload extends TokenClaims {
  /** Expiry in ms since the epoch. */
  readonly exp: number
  readonly nonce: string
  /** SHA-256 of the body in base64url. */
  readonly sha: string
}

/**
 * Signs the requests that processes of one cluster send each other, and checks them. The key itself is never sent. A token is
 * `v1.<payload>.<HMAC-SHA-256>[.<HMAC of the second key>]` in base64url; the payload is JSON. The HMAC is over the version, the
 * method, the path with its query and the payload, which holds the digest of the body, the receiver, the expiry and a nonce, so
 * a token is good for one request, once.
 *
 * While a key is changed a process has two, `new,old`. It signs with both and accepts both, so processes can be changed one by
 * one: a process with the new key only, or the old one only, understands it.
 */
export class InternalTokens {
  readonly #keys: readonly SecretLike[]
  readonly #now: () => number
  /** Nonce → expiry in ms, in the order of arrival. */
  readonly #seen = new Map<string, number>()

  /** `keys`: one or two. */
  constructor(keys: readonly SecretLike[], now: () => number = Date.now) {
    this.#keys = keys
    this.#now = now
  }

  /** The tokens of the setting `internal.key`; null without a key. Throws ConfigException for more than two keys, or an empty one. */
  static from(setting: SecretLike | null): InternalTokens | null {
    if (setting === null) return null
    const count = keysOf(setting).length
    if (count > 2 || keysOf(setting).includes('')) {
      const message = `Invalid value for configuration internal.key: one key, or two separated by a comma while the key is changed (new,old); found ${count}, or an empty one`
      throw new ConfigException(message, [{ name: 'internal.key', message }])
    }
    return new InternalTokens(keysOf(setting).map((_, i) => ({ reveal: () => keysOf(setting)[i]! })))
  }

  /** Whether a key is so short that whoever sees a token may find the key by trying. */
  get isWeak(): boolean {
    return this.#keys.some((key) => key.reveal().length < LEAST_CHARACTERS)
  }

  /** The token of a request, good for 30 s. */
  sign({ method, path }: SignedRequest, claims: TokenClaims, body: string | Uint8Array): string {
    const { from, to, caller } = claims
    const payload: Payload = {
      ...{
        from,
        to,
        exp: this.#now() + TOKEN_LIFE_MS,
        nonce: randomBytes(16).toString('base64url'),
        sha: digest(body),
      },
      ...(caller !== undefined && { caller }),
    }
    const text = Buffer.from(JSON.stringify(payload)).toString('base64url')
    const macs = this.#keys.map((key) => mac(key, method, path, text).toString('base64url'))
    return [VERSION, text, ...macs].join('.')
  }

  /**
   * The claims of a request, or a sentence that says why its token is refused. `self` is host:port under which others reach
   * this process; null: it is not known. Remembers the nonce, so a second call with the same token is refused.
   */
  verify({ method, path }: SignedRequest, token: unknown, self: string | null): VerifiedRequest | string {
    if (typeof token !== 'string' || token === '') return `The header ${INTERNAL_TOKEN} is missing.`
    const [version, text = '', ...macs] = token.length > MAX_TOKEN_LENGTH ? [] : token.split('.')
    if (version !== VERSION || macs.length === 0 || macs.length > 2)
      return `The header ${INTERNAL_TOKEN} holds no token.`
    if (!this.#isSigned(method, path, text, macs)) {
      return `The token of ${INTERNAL_TOKEN} was not signed with this cluster's TRIBUTARY_INTERNAL_KEY, or not for this request.`
    }
    // Only holders of the key get this far.
    const { exp, nonce, sha, ...claims } = JSON.parse(Buffer.from(text, 'base64url').toString()) as Payload
    const now = this.#now()
    if (exp < now - CLOCK_SKEW_MS || exp > now + TOKEN_LIFE_MS + CLOCK_SKEW_MS) {
      const aside = Math.round((exp - TOKEN_LIFE_MS - now) / 1000)
      return `The token of ${claims.from} was signed ${Math.abs(aside)} s ${aside < 0 ? 'before' : 'after'} this process's present time: set the clocks of both machines.`
    }
    if (self !== null && claims.to !== self)
      return `The token of ${claims.from} is for ${claims.to}, and this is ${self}.`
    if (!this.#isFirst(nonce, exp, now)) return `The token of ${claims.from} was used before.`
    return { ...claims, hasBody: (body) => digest(body) === sha }
  }

  /** Compares every pair in constant time, so that the time says nothing about a key. */
  #isSigned(method: string, path: string, text: string, macs: readonly string[]): boolean {
    let signed = false
    for (const key of this.#keys) {
      const wanted = mac(key, method, path, text)
      for (const given of macs) {
        const bytes = Buffer.from(given, 'base64url')
        if (bytes.length === wanted.length && timingSafeEqual(bytes, wanted)) signed = true
      }
    }
    return signed
  }

  #isFirst(nonce: string, exp: number, now: number): boolean {
    if (this.#seen.has(nonce)) return false
    // The oldest go first. All live equally long, so the first one that has not expired ends the search.
    for (const [old, expiry] of this.#seen) {
      if (expiry + CLOCK_SKEW_MS >= now && this.#seen.size < MAX_NONCES) break
      this.#seen.delete(old)
    }
    this.#seen.set(nonce, exp)
    return true
  }
}

function keysOf(setting: SecretLike): string[] {
  return setting
    .reveal()
    .split(',')
    .map((key) => key.trim())
}

function mac(key: SecretLike, method: string, path: string, text: string): Buffer {
  return createHmac('sha256', key.reveal()).update([VERSION, method, path, text].join('\n')).digest()
}

function digest(body: string | Uint8Array): string {
  return createHash('sha256').update(body).digest('base64url')
}
