import type { Logger } from '@tributary/telemetry'
import { createLocalJWKSet, errors, type FlattenedJWSInput, type JSONWebKeySet, type JWSHeaderParameters } from 'jose'
import { LoginError } from '../login.ts'
import { isTrustedUrl } from '../settings.ts'

export interface IssuerKeysOptions {
  readonly issuer: string
  /** null: found by the issuer's discovery document (OpenID Connect Discovery 1.0, 4). */
  readonly jwksUrl: string | null
  readonly log: Logger
  /** ms, monotonic. */
  readonly now?: () => number
}

type KeySet = ReturnType<typeof createLocalJWKSet>

/** Keys are read again after this time, in ms, so that a key which the issuer has withdrawn stops to count. */
const MAX_AGE_MS = 600_000
/** The shortest time between two reads of one cause, in ms: anybody can send tokens with unknown key ids. */
const COOLDOWN_MS = 5000
const TIMEOUT_MS = 5000
const MAX_BYTES = 512 * 1024

/**
 * The issuer's public keys. They are read when the first token comes, every ten minutes, and when a token names a key
 * that is not known (rotation). While the issuer is away, the keys that were read before go on to count.
 */
export class IssuerKeys {
  readonly #options: IssuerKeysOptions
  readonly #now: () => number
  #keys: KeySet | null = null
  #readAt = -Infinity
  /** When the last try began, by its cause. */
  readonly #triedAt = { age: -Infinity, unknown: -Infinity }
  #failure = ''
  #reading: Promise<void> | null = null

  constructor(options: IssuerKeysOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
  }

  /**
   * The key for a token. Throws LoginError with 503 when no keys could be read yet, and jose's JWKSNoMatchingKey when the
   * issuer has no such key.
   */
  async find(header: JWSHeaderParameters, token: FlattenedJWSInput): Promise<Awaited<ReturnType<KeySet>>> {
    if (this.#now() - this.#readAt >= MAX_AGE_MS) await this.#readAgain('age')
    try {
      return await this.#known()(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.#readAgain('unknown'))) throw error
      return await this.#known()(header, token)
    }
  }

  #known(): KeySet {
    if (this.#keys !== null) return this.#keys
    throw LoginError.unavailable(
      `The bearer token cannot be checked at the moment, because the keys of the issuer ${this.#options.issuer} cannot be read: ${this.#failure}`,
    )
  }

  /** Reads the keys, unless they were asked for within the cooldown. Returns whether the keys are new. */
  async #readAgain(cause: 'age' | 'unknown'): Promise<boolean> {
    const before = this.#keys
    if (this.#reading === null) {
      if (this.#now() - this.#triedAt[cause] < COOLDOWN_MS) return false
      this.#triedAt[cause] = this.#now()
      this.#reading = this.#read().finally(() => (this.#reading = null))
    }
    await this.#reading
    return this.#keys !== before
  }

  async #read(): Promise<void> {
    const { issuer, log } = this.#options
    try {
      const url = this.#options.jwksUrl ?? (await jwksUrlOf(issuer))
      this.#keys = createLocalJWKSet(publicKeys(await getJson(url)))
      this.#readAt = this.#now()
      log.info('oidc_keys_read', { issuer, url })
    } catch (error) {
      this.#failure = (error as Error).message
      const advice = this.#keys ? 'the keys that were read before still count' : 'no bearer token can be checked'
      log.warn('oidc_keys_unreadable', { issuer, error: this.#failure, advice })
    }
  }
}

async function jwksUrlOf(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  const document = await getJson(url)
  // Discovery 1.0, 4.3: the issuer must be the one that was asked for.
  if (document['issuer'] !== issuer) {
    throw new Error(`${url} is of the issuer ${JSON.stringify(document['issuer'])}, not of access.oidc.issuer`)
  }
  const found = document['jwks_uri']
  if (typeof found !== 'string' || !isTrustedUrl(found)) {
    throw new Error(`${url} has no jwks_uri that is an https URL`)
  }
  return found
}

/** Only keys to check signatures with: with a symmetric key (`oct`) anybody who reads it could sign. */
function publicKeys({ keys }: Readonly<Record<string, unknown>>): JSONWebKeySet {
  if (!Array.isArray(keys)) throw new Error('the JWKS has no list "keys"')
  const usable = (keys as unknown[]).filter((key): key is JSONWebKeySet['keys'][number] => {
    if (typeof key !== 'object' || key === null) return false
    const { kty, use = 'sig', d } = key as { kty?: unknown; use?: unknown; d?: unknown }
    return ['RSA', 'EC', 'OKP'].includes(String(kty)) && use === 'sig' && d === undefined
  })
  if (usable.length === 0) throw new Error('the JWKS has no public key for signatures')
  return { keys: usable }
}

async function getJson(url: string): Promise<Record<string, unknown>> {
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const answer = await fetch(url, { signal, redirect: 'error', headers: { accept: 'application/json' } }).catch(
    (error: Error) => {
      throw new Error(`${url} cannot be read: ${error.cause instanceof Error ? error.cause.message : error.message}`)
    },
  )
  if (answer.status !== 200) {
    await answer.body?.cancel()
    throw new Error(`${url} answers HTTP ${answer.status}`)
  }
  const value: unknown = JSON.parse(await boundedText(answer, url))
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${url} answers no JSON object`)
  return value as Record<string, unknown>
}

async function boundedText(answer: Response, url: string): Promise<string> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of (answer.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > MAX_BYTES) throw new Error(`${url} answers more than ${MAX_BYTES} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
