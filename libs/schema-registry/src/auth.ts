import { isOutage } from './answers.ts'
import { schemaRegistryErrors } from './errors.ts'
import type { ClientSettings } from './keys.ts'
import { userInfo } from './settings.ts'
import type { Transport } from './transport.ts'

/** A token is asked for again this long before its end. */
const EARLY_MS = 30_000

/** Makes the headers with which requests log in. */
export class Login {
  readonly #settings: ClientSettings
  readonly #transport: Transport
  #token: { readonly text: string; readonly endsAt: number } | null = null
  #asked: Promise<string> | null = null

  constructor(settings: ClientSettings, transport: Transport) {
    this.#settings = settings
    this.#transport = transport
  }

  /** Rejects with the cause, or with ConfigError when the token endpoint refuses the client. */
  async headers(url: URL): Promise<Record<string, string>> {
    const settings = this.#settings
    const more = {
      ...(settings['bearer.auth.logical.cluster']
        ? { 'target-sr-cluster': settings['bearer.auth.logical.cluster'] }
        : {}),
      ...(settings['bearer.auth.identity.pool.id']
        ? { 'confluent-identity-pool-id': settings['bearer.auth.identity.pool.id'] }
        : {}),
    }
    const bearer = settings['bearer.auth.credentials.source']
    if (bearer === 'STATIC_TOKEN') {
      return { ...more, authorization: `Bearer ${settings['bearer.auth.token']!.reveal()}` }
    }
    if (bearer === 'OAUTHBEARER') return { ...more, authorization: `Bearer ${await this.#bearer()}` }
    const user =
      settings['basic.auth.credentials.source'] === 'USER_INFO'
        ? userInfo(settings)
        : url.username === ''
          ? null
          : `${decoded(url.username)}:${decoded(url.password)}`
    return user === null ? {} : { authorization: `Basic ${Buffer.from(user).toString('base64')}` }
  }

  /** The next request asks for a new token. Returns whether there was one that may have been withdrawn. */
  forget(): boolean {
    const had = this.#token !== null
    this.#token = null
    return had
  }

  async #bearer(): Promise<string> {
    if (this.#token !== null && Date.now() < this.#token.endsAt) return this.#token.text
    this.#asked ??= this.#ask().finally(() => (this.#asked = null))
    return await this.#asked
  }

  async #ask(): Promise<string> {
    const settings = this.#settings
    const url = new URL(settings['bearer.auth.issuer.endpoint.url']!)
    const login = `${encodeURIComponent(settings['bearer.auth.client.id']!)}:${encodeURIComponent(settings['bearer.auth.client.secret']!.reveal())}`
    const scope = settings['bearer.auth.scope'] || null
    const { status, text } = await this.#transport.send({
      url,
      method: 'POST',
      headers: {
        authorization: `Basic ${Buffer.from(login).toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json',
      },
      body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope === null ? {} : { scope }) }).toString(),
    })
    if (isOutage(status)) throw new Error(`the token endpoint ${url.host} answered ${status}`)
    const { access_token: token, expires_in: seconds } = tokenOf(text)
    if (status !== 200 || typeof token !== 'string') {
      throw schemaRegistryErrors.SCHEMA_REGISTRY_REFUSED(
        `the token endpoint ${url.host} gave no token for bearer.auth.client.id, and answered ${status}`,
        { field: 'bearer.auth.client.id' },
      )
    }
    const lifeMs = typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : 60_000
    this.#token = { text: token, endsAt: Date.now() + Math.max(lifeMs - EARLY_MS, lifeMs / 2) }
    return token
  }
}

/** A `%` that begins no escape stands for itself, as in the URL standard. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function tokenOf(text: string): { readonly access_token?: unknown; readonly expires_in?: unknown } {
  try {
    const json = JSON.parse(text) as object | null
    return typeof json === 'object' && json !== null ? json : {}
  } catch {
    return {}
  }
}
