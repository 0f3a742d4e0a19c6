import { type Logger, oncePer } from '@tributary/telemetry'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ANONYMOUS, type Authenticator, type Identity, UNKNOWN } from './identity.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends the request. */
    identity: Identity
  }
}

/** A request is not let in. The server answers it with `status` and the message. */
export class LoginError extends Error {
  /** 401: refused. 503: the credentials cannot be judged at the moment. */
  readonly status: 401 | 503
  /** Why, for the audit and the log: the client only learns that it is refused. null: the request has no credentials. */
  readonly reason: string | null
  /** Who the client says it is, unproven, such as `user:alice`; null when the credentials do not say. */
  readonly claimed: string | null

  private constructor(status: 401 | 503, message: string, reason: string | null, claimed: string | null) {
    super(message)
    this.name = 'LoginError'
    this.status = status
    this.reason = reason
    this.claimed = claimed
  }

  /** One text for every reason, so that nobody learns which names and keys exist. */
  static refused(reason: string, claimed: string | null = null): LoginError {
    return new LoginError(401, 'The credentials are wrong, expired or revoked.', reason, claimed)
  }

  static missing(): LoginError {
    return new LoginError(401, 'This API needs credentials, and the request has none.', null, null)
  }

  /** `why` is a sentence for the client. */
  static unavailable(why: string): LoginError {
    return new LoginError(503, why, why, null)
  }
}

/** Credentials that were refused. */
export interface FailedLogin {
  readonly reason: string
  readonly claimed: string | null
  /** The address of the client. */
  readonly address: string
  readonly method: string
  /** The path without its query. */
  readonly path: string
}

/** How the API learns who sends a request. */
export interface Access {
  /** Asked in this order; the first that knows the credentials decides. Empty: authentication is off. */
  readonly authenticators: readonly Authenticator[]
  /** Called for each request whose credentials are wrong, not for one without credentials. Must not throw. */
  readonly onFailedLogin?: (login: FailedLogin) => void
}

/** A line a minute for each address and reason: whoever guesses must not fill the disk. */
export function logFailedLogins(log: Logger): (login: FailedLogin) => void {
  const limit = oncePer(60_000)
  return ({ reason, claimed, address, method, path }) => {
    const suppressed = limit(`${address} ${reason}`)
    if (suppressed === null) return
    log.warn('login_failed', { address, reason, claimed: claimed ?? undefined, method, path, suppressed })
  }
}

const NO_AUTHENTICATION: Access = { authenticators: [] }

/**
 * Adds the hook that finds out who sends a request, as `request.identity`. Without authenticators that is `anonymous`,
 * who may do everything. With authenticators a request without credentials is answered with 401, except a preflight of
 * CORS, which browsers send without credentials (Fetch standard), and a route whose right is `open`.
 */
export function identify(app: FastifyInstance, access: Access = NO_AUTHENTICATION): void {
  const { authenticators } = access
  app.decorateRequest('identity', null as unknown as Identity)
  if (authenticators.length === 0) {
    app.addHook('onRequest', (request, _reply, done) => {
      request.identity = ANONYMOUS
      done()
    })
    return
  }
  const challenges = [...new Set(authenticators.flatMap(({ challenge }) => challenge ?? []))]
  app.addHook('onRequest', async (request, reply) => {
    try {
      request.identity = (await identityOf(request, authenticators)) ?? withoutCredentials(request)
    } catch (error) {
      request.identity = UNKNOWN
      if (error instanceof LoginError && error.status === 401) {
        if (challenges.length > 0) reply.header('www-authenticate', challenges)
        if (error.reason !== null) access.onFailedLogin?.(failedLogin(request, error.reason, error.claimed))
      }
      throw error
    }
  })
}

async function identityOf(request: FastifyRequest, authenticators: readonly Authenticator[]): Promise<Identity | null> {
  for (const authenticator of authenticators) {
    const identity = await authenticator.authenticate(request)
    if (identity !== null) return identity
  }
  return null
}

function withoutCredentials(request: FastifyRequest): Identity {
  const { method, headers, routeOptions } = request
  if (method === 'OPTIONS' && headers.origin !== undefined && 'access-control-request-method' in headers) return UNKNOWN
  if (routeOptions.config.right === 'open') return UNKNOWN
  if (headers.authorization !== undefined) throw LoginError.refused('no authentication of this kind is configured')
  throw LoginError.missing()
}

function failedLogin({ method, url, ip }: FastifyRequest, reason: string, claimed: string | null): FailedLogin {
  return { reason, claimed, address: ip, method, path: url.split('?', 1)[0]! }
}
