import type { AccessKey, AccessStore } from '@tributary/connect-storage'
import type { FastifyRequest } from 'fastify'
import { timingSafeEqual } from 'node:crypto'
import { isApiKey, parseApiKey } from '../api-key.ts'
import { basicLogin, bearerToken } from '../credentials.ts'
import { type Authenticator, type Identity, parseGrant } from '../identity.ts'
import { LoginError } from '../login.ts'

/** The user of Basic whose password is an API key. */
const BASIC_USER = 'key'
const NO_KEY = Buffer.alloc(32)

/** API keys, in `Authorization: Bearer`, in `X-API-Key`, or as the password of the Basic user `key`. */
export class ApiKeyAuthenticator implements Authenticator {
  readonly challenge = 'Bearer realm="tributary"'
  readonly #keys: Pick<AccessStore, 'keyOfId'>
  readonly #now: () => number
  /** A changed key is another object. */
  readonly #identities = new WeakMap<AccessKey, Identity>()

  /** `now`: ms since the epoch. */
  constructor(keys: Pick<AccessStore, 'keyOfId'>, now: () => number = Date.now) {
    this.#keys = keys
    this.#now = now
  }

  async authenticate({ headers }: FastifyRequest): Promise<Identity | null> {
    const text = keyIn(headers)
    return text === null ? null : this.#identityOf(text)
  }

  /** Takes the same steps for an unknown id and for a wrong secret. */
  #identityOf(text: string): Identity {
    const given = parseApiKey(text)
    if (given === null) throw LoginError.refused('the text is no API key')
    const key = this.#keys.keyOfId(given.id)
    const matches = timingSafeEqual(given.hash, key === null ? NO_KEY : Buffer.from(key.hash, 'hex'))
    if (key === null) throw LoginError.refused('no API key has this id')
    const name = `key:${key.name}`
    if (!matches) throw LoginError.refused('the secret of the API key is wrong', name)
    if (key.revoked !== null) throw LoginError.refused('the API key is revoked', name)
    if (key.expires !== null && key.expires <= this.#now()) throw LoginError.refused('the API key has expired', name)
    return this.#identity(key, name)
  }

  #identity(key: AccessKey, name: string): Identity {
    const known = this.#identities.get(key)
    if (known !== undefined) return known
    try {
      const identity = { name, grants: key.grants.map(parseGrant) }
      this.#identities.set(key, identity)
      return identity
    } catch (error) {
      // Somebody else than us has written the record.
      throw LoginError.refused((error as Error).message, name)
    }
  }
}

function keyIn(headers: FastifyRequest['headers']): string | null {
  const own = headers['x-api-key']
  if (own !== undefined) return String(own)
  const token = bearerToken(headers)
  if (token !== null) return isApiKey(token) ? token : null
  const login = basicLogin(headers)
  return login?.user === BASIC_USER ? login.password : null
}
