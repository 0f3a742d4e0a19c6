import type { FastifyRequest } from 'fastify'
import type { Route } from './resource.ts'
import { restError } from './rest-errors.ts'

export const PLAN = {
  plan: 'true: only say what would happen. Not with connect.strict on the paths of Kafka Connect',
} as const

/** Whether only a plan is asked for. Throws 400 for any other text, since who asks for a plan must not get a change. */
export function wantsPlan(request: FastifyRequest<Route>, strict = false): boolean {
  const text = planText(request)
  if (text === undefined || text === 'false') return false
  if (text !== 'true') throw restError('queryInvalid', 'plan', text, 'true or false')
  if (strict) throw restError('planInStrict')
  if (request.auditWork) request.auditWork.about = 'a plan: nothing was changed'
  return true
}

/** Throws 400 when a plan is asked of a change that has none. */
export function refusePlan(request: FastifyRequest<Route>): void {
  const text = planText(request)
  if (text !== undefined && text !== 'false') throw restError('planNotHere')
}

/** Of several values none may be taken for the one that is meant, so their text is none of those that are known. */
function planText(request: FastifyRequest<Route>): string | undefined {
  const { plan } = request.query
  return (Array.isArray(plan) ? plan.join(' and ') : plan)?.toLowerCase()
}
