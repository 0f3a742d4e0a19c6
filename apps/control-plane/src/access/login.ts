import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { RestError } from '../http/rest-errors.ts'
import { ANONYMOUS, type Authenticator, type Identity, UNKNOWN } from './identity.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sends the request. */
    identity: Identity
  }
}

/** Credentials that were refused, or that cannot be judged at the moment (503). */
export class LoginError extends RestError {
  /** Why, for the audit and the log. The client only learns that the credentials were refused. */
  readonly reason: string
  /** Who the client says it is, unproven, such as `user:alice`; null when the credentials do not say. */
  readonly claimed: string | null

  constructor(reason: string, claimed: string | null = null, unavailable?: string) {
    super(unavailable === undefined ? 401 : 503, unavailable ?? 'The credentials are wrong, expired or revoked.')
    this.name = 'LoginError'
    this.reason = reason
    this.claimed = claimed
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
      if (!(error instanceof RestError)) throw error
      if (error.status === 401) challenge(reply, challenges)
      if (error instanceof LoginError && error.status === 401) access.onFailedLogin?.(failedLogin(request, error))
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
  if ((routeOptions.config as { readonly right?: string }).right === 'open') return UNKNOWN
  if (headers.authorization !== undefined) throw new LoginError('no authentication of this kind is configured')
  throw new RestError(401, 'This API needs credentials, and the request has none.')
}

function challenge(reply: FastifyReply, challenges: readonly string[]): void {
  if (challenges.length > 0) reply.header('www-authenticate', challenges)
}

function failedLogin({ method, url, ip }: FastifyRequest, { reason, claimed }: LoginError): FailedLogin {
  return { reason, claimed, address: ip, method, path: url.split('?', 1)[0]! }
}
