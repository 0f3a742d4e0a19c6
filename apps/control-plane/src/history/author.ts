import type { FastifyRequest } from 'fastify'
import type { Identity } from '../access/identity.ts'
import { callerOf } from '../leadership/replica-requests.ts'

/** Who changes a configuration, and by which request. */
export interface Author extends Identity {
  /** The same as in the audit log, and in the answer's header `x-request-id` where that is on. */
  readonly requestId: string
}

export function authorOf(request: FastifyRequest): Author {
  return { ...request.identity, requestId: callerOf(request)?.id ?? request.id }
}
