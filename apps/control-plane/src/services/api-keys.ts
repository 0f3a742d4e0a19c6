import { ACCESS_KEY_NAME, type AccessKey, type AccessStore } from '@tributary/connect-storage'
import { newApiKey } from '../access/api-key.ts'
import { formatGrant, parseGrants } from '../access/identity.ts'
import { endOfLifetime } from '../access/lifetime.ts'
import { restError } from '../http/rest-errors.ts'

export interface NewKey {
  readonly name: string
  /** As text, separated by commas. */
  readonly grants: string
  /** See `endOfLifetime`; null: the key does not expire. */
  readonly expires: string | null
}

/** What is shown of a key. Times are in ms since the epoch. */
export interface ShownKey {
  readonly name: string
  readonly state: 'active' | 'expired' | 'revoked'
  readonly grants: readonly string[]
  readonly created: number
  readonly created_by: string
  readonly expires: number | null
  readonly revoked: number | null
}

/** What the audit log says of a new key. */
export function aboutKey({ name, grants, expires }: NewKey): string {
  return `API key ${name}: ${grants}; ${expires === null ? 'does not expire' : `expires ${expires}`}`
}

/** Makes, lists and revokes API keys. Throws RestError. */
export class ApiKeys {
  readonly #store: AccessStore
  readonly #now: () => number

  /** The store is started. `now`: ms since the epoch. */
  constructor(store: AccessStore, now: () => number = Date.now) {
    this.#store = store
    this.#now = now
  }

  list(): ShownKey[] {
    return this.#store.keys().map((key) => this.#shown(key))
  }

  /** `by` is the identity that asks. `key` of the answer is the whole key, which cannot be read again. */
  async create({ name, grants, expires }: NewKey, by: string): Promise<ShownKey & { readonly key: string }> {
    if (!ACCESS_KEY_NAME.test(name)) throw restError('keyNameInvalid', name)
    const now = this.#now()
    const parsed = readable(() => parseGrants(grants).map(formatGrant))
    const end = expires === null ? null : readable(() => endOfLifetime(expires, now))
    const present = this.#store.key(name)
    if (present !== null && this.#stateOf(present) === 'active') throw restError('keyExists', name)
    const { id, hash, text } = newApiKey()
    const key = {
      name,
      id,
      hash: hash.toString('hex'),
      grants: parsed,
      created: now,
      createdBy: by,
      expires: end,
      revoked: null,
    }
    await this.#store.put(key)
    // Somebody else has made a key of the same name in the meantime.
    if (this.#store.key(name)?.id !== id) throw restError('keyExists', name)
    return { key: text, ...this.#shown(key) }
  }

  /** A key that is revoked already stays as it is. */
  async revoke(name: string): Promise<void> {
    const key = this.#store.key(name)
    if (key === null) throw restError('keyNotFound', name)
    if (key.revoked === null) await this.#store.put({ ...key, revoked: this.#now() })
  }

  #shown(key: AccessKey): ShownKey {
    const { name, grants, created, createdBy, expires, revoked } = key
    return { name, state: this.#stateOf(key), grants, created, created_by: createdBy, expires, revoked }
  }

  #stateOf({ expires, revoked }: AccessKey): ShownKey['state'] {
    if (revoked !== null) return 'revoked'
    return expires !== null && expires <= this.#now() ? 'expired' : 'active'
  }
}

function readable<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw restError('keyInvalid', (error as Error).message)
  }
}
