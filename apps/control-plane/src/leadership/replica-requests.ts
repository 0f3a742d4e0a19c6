import { INTERNAL_TOKEN, type InternalTokens } from '@tributary/service'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { concerning } from '../access/rights.ts'
import type { Route } from '../http/resource.ts'
import { restError } from '../http/rest-errors.ts'
import { FORWARDED } from './leader-proxy.ts'

/** What a replica says of the client whose request it sends on. */
export interface Caller {
  /** The client's Identity as the replica found it; absent while authentication is off. */
  readonly identity?: unknown
  /** The client's address, without its port. */
  readonly address: string
  /** The id under which both replicas know the request. */
  readonly id: string
}

export interface ReplicaRequestsOptions {
  /** null: the cluster has no key, and a header alone says that a request was sent on. */
  readonly tokens: InternalTokens | null
  /** host:port under which the other replicas reach this one; null before it listens. */
  readonly self: () => string | null
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Another replica sent the request on. A replica never sends a request on twice. */
    forwarded: boolean
  }
}

/**
 * Recognizes the requests that another replica sends on. Only a token that is signed with the cluster's key proves that; a
 * request with a wrong one is refused, whoever sent it. Call this before every hook that asks who sends a request.
 */
export function recognizeReplicas(app: FastifyInstance, { tokens, self }: ReplicaRequestsOptions): void {
  app.decorateRequest('signed', null)
  app.decorateRequest('forwarded', false)
  app.addHook('onRequest', async (request) => {
    const { method, originalUrl: path, headers } = request
    if (tokens === null) {
      request.forwarded = headers[FORWARDED] !== undefined
      return
    }
    const token = headers[INTERNAL_TOKEN]
    if (token === undefined) return
    const signed = tokens.verify({ method, path }, token, self())
    if (typeof signed === 'string') throw restError('tokenRefused', signed)
    request.signed = signed
    request.forwarded = true
  })
  app.addHook('preHandler', async ({ signed, rawBody }) => {
    if (signed?.hasBody(rawBody) === false)
      throw restError('tokenRefused', `The body is not the one that ${signed.from} signed.`)
  })
}

/** What this replica says of the client whose request it sends on. */
export function callerFor(request: FastifyRequest, authenticating: boolean): Caller {
  const { ip: address, shownId: id, identity, routeOptions } = request
  if (!authenticating) return { address, id }
  const named = request as FastifyRequest<Route>
  const connector = named.params['connector'] ?? routeOptions.config.connectorOf?.(named) ?? null
  return { address, id, identity: concerning(identity, connector) }
}

/** What the forwarding replica says of the client; null for a request that a client sent here. */
export function callerOf({ signed }: Pick<FastifyRequest, 'signed'>): Caller | null {
  const caller = signed?.caller as Partial<Caller> | undefined
  if (typeof caller?.address !== 'string' || typeof caller.id !== 'string') return null
  return caller as Caller
}
