import type { IncomingMessage } from 'node:http'
import type { FastifyRequest } from 'fastify'

/** The two ports: Kafka Connect's REST API (8083), and the operators' API (8080), which has some paths of its own. */
export type Listener = 'connect' | 'operators'

declare module 'node:http' {
  interface IncomingMessage {
    /** Absent: `connect`. */
    tributaryListener?: Listener
  }
}

/** On a request that another replica sends on: the port on which that replica got it. */
export const LISTENER = 'x-tributary-listener'
/** The paths that have the operators' errors on both ports. */
const API = /^\/api\/v1(?:[/?;]|$)/

export function listenerOf(request: IncomingMessage): Listener {
  return request.tributaryListener ?? 'connect'
}

/** Whether the answer has the operators' form: their errors, `X-Request-ID`, and `X-RateLimit-*`. */
export function answersOperators({
  raw,
  headers,
  forwarded,
}: Pick<FastifyRequest, 'raw' | 'headers' | 'forwarded'>): boolean {
  if (listenerOf(raw) === 'operators' || API.test(raw.url ?? '')) return true
  return forwarded && headers[LISTENER] === 'operators'
}

/**
 * Fastify's strategy for routes that only one port has (`constraints: { listener: 'operators' }`). Such a route comes before
 * one of the same path without the constraint.
 */
export const listenerConstraint = {
  name: 'listener',
  storage: () => {
    const handlers = new Map<unknown, never>()
    return {
      get: (listener: unknown) => handlers.get(listener) ?? null,
      set: (listener: unknown, handler: never) => void handlers.set(listener, handler),
    }
  },
  deriveConstraint: (request: IncomingMessage) => listenerOf(request),
}
