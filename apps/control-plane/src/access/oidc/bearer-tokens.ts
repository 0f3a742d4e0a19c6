import type { FastifyRequest } from 'fastify'
import { decodeJwt, errors, type JWTPayload, jwtVerify } from 'jose'
import { bearerToken } from '../credentials.ts'
import type { GrantsSource } from '../grants-file.ts'
import { type Authenticator, type Grant, type Identity, parseGrant } from '../identity.ts'
import { LoginError } from '../login.ts'
import type { IssuerKeys } from './issuer-keys.ts'

export interface BearerTokenOptions {
  readonly keys: Pick<IssuerKeys, 'find'>
  readonly issuer: string
  /** A token must have one of them. */
  readonly audience: readonly string[]
  readonly algorithms: readonly string[]
  /** In ms. */
  readonly clockSkewMs: number
  readonly nameClaim: string
  /** null: grants come from the grants file alone. */
  readonly grantsClaim: string | null
  readonly grants: GrantsSource
  /** ms since the epoch. */
  readonly now?: () => number
}

const MAX_NAME_LENGTH = 256

/** JSON Web Tokens of an OpenID Connect issuer in `Authorization: Bearer`. This module loads jose. */
export class BearerTokenAuthenticator implements Authenticator {
  readonly challenge = 'Bearer realm="tributary"'
  readonly #options: BearerTokenOptions

  constructor(options: BearerTokenOptions) {
    this.#options = options
  }

  async authenticate({ headers }: FastifyRequest): Promise<Identity | null> {
    const token = bearerToken(headers)
    if (token === null) return null
    const claims = await this.#verified(token)
    const name = claimOf(claims, this.#options.nameClaim)
    if (!isName(name)) {
      throw LoginError.refused(`the claim ${this.#options.nameClaim} of the token is no name`)
    }
    return { name: `oidc:${name}`, grants: await this.#grantsOf(name, claims) }
  }

  async #verified(token: string): Promise<JWTPayload> {
    const { keys, issuer, audience, algorithms, clockSkewMs, now = Date.now } = this.#options
    try {
      const { payload } = await jwtVerify(token, (header, jws) => keys.find(header, jws), {
        issuer,
        audience: [...audience],
        algorithms: [...algorithms],
        clockTolerance: clockSkewMs / 1000,
        currentDate: new Date(now()),
        // Without an expiry a stolen token would count for ever.
        requiredClaims: ['exp'],
      })
      mustNotBeFromTheFuture(payload, now() + clockSkewMs)
      return payload
    } catch (error) {
      if (error instanceof errors.JOSEError) throw LoginError.refused(error.message, this.#claimed(token))
      throw error
    }
  }

  /** Who a refused token says it is. */
  #claimed(token: string): string | null {
    try {
      const name = claimOf(decodeJwt(token), this.#options.nameClaim)
      return isName(name) ? `oidc:${name}` : null
    } catch {
      return null
    }
  }

  async #grantsOf(name: string, claims: JWTPayload): Promise<readonly Grant[]> {
    const { grantsClaim, grants } = this.#options
    const file = await grants()
    if (file.line('oidc', name)?.length === 0) return []
    const values = grantsClaim === null ? [] : textsOf(claimOf(claims, grantsClaim))
    const claimed = values.flatMap((value) => file.line('claim', value) ?? grantsIn(value))
    const own = file.line('oidc', name) ?? (claimed.length === 0 ? file.of('oidc', [name]) : [])
    return [...own, ...claimed]
  }
}

/** jose checks `iat` only together with a maximum age. */
function mustNotBeFromTheFuture({ iat }: JWTPayload, latestMs: number): void {
  if (iat !== undefined && iat * 1000 > latestMs) throw new errors.JWTInvalid('"iat" is in the future')
}

/** A claim by its name, or by the path of a nested one: `realm_access.roles`. */
function claimOf(claims: JWTPayload, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name]
  let value: unknown = claims
  for (const part of name.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, part)) return undefined
    value = (value as Record<string, unknown>)[part]
  }
  return value
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_NAME_LENGTH && !/\p{Cc}/u.test(value)
}

/** A list of texts, or a text of words that blanks or commas separate (as `scope`, RFC 8693). */
function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return value.split(/[\s,]+/).filter((word) => word !== '')
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

/** Issuers put other groups and scopes in the claim, too. */
function grantsIn(value: string): Grant[] {
  try {
    return [parseGrant(value)]
  } catch {
    return []
  }
}
