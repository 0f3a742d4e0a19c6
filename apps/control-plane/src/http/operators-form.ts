import type { FastifyInstance, FastifyRequest } from 'fastify'
import { operatorsError } from './error-body.ts'
import { answersOperators } from './listener.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether the answer has the operators' form. */
    operators: boolean
    /** The id under which the client knows the request. */
    shownId: string
  }
}

/** What may stand in a log and a header. */
const REQUEST_ID = /^[\w.:/+=@-]{1,128}$/

/** The id that a client gave its request; null without one, or for one that could not stand in a log. */
export function sentRequestId(headers: Readonly<Record<string, unknown>>): string | null {
  const id = headers['x-request-id']
  return typeof id === 'string' && REQUEST_ID.test(id) ? id : null
}

/**
 * Answers on the operators' port, and below /api/v1, in the operators' form: their errors, and `X-Request-ID`. Call this
 * before every other hook.
 */
export function answerInForm(app: FastifyInstance): void {
  app.decorateRequest('operators', false)
  app.decorateRequest('shownId', '')
  app.addHook('onRequest', async (request) => {
    request.operators = answersOperators(request)
    request.shownId = (request.operators ? sentRequestId(request.headers) : null) ?? request.id
  })
  // Hooks, too, answer with Connect's errors.
  app.addHook('preSerialization', async (request, reply, payload: unknown) => {
    return request.operators && reply.statusCode >= 400 && isPlainError(payload)
      ? operatorsError(payload, request.shownId)
      : payload
  })
  app.addHook('onSend', async (request, reply, payload) => {
    if (request.operators) reply.header('x-request-id', request.shownId)
    return payload
  })
}

/**
 * Answers the requests of another replica in the form in which that replica answers its client. Call this after the hook
 * that recognizes them. `knownId`: the id that the other replica gave a request.
 */
export function answerReplicasInForm(app: FastifyInstance, knownId: (request: FastifyRequest) => string | null): void {
  app.addHook('onRequest', async (request) => {
    if (!request.forwarded) return
    request.operators = answersOperators(request)
    request.shownId = knownId(request) ?? sentRequestId(request.headers) ?? request.id
  })
}

function isPlainError(payload: unknown): payload is { error_code: number; message: string } {
  if (typeof payload !== 'object' || payload === null || 'error' in payload) return false
  return 'error_code' in payload && typeof payload.error_code === 'number' && 'message' in payload
}
