import type { FastifyInstance, FastifyRequest, onRequestAsyncHookHandler, preHandlerAsyncHookHandler } from 'fastify'
import { grantFor, may, mayAnywhere, type Right } from '../access/rights.ts'
import type { Route } from './resource.ts'
import { restError } from './rest-errors.ts'

/**
 * Checks the right that each route declares before anything else of the route, its connector included: who has no right
 * for a name does not learn whether it exists. A replica checks a change before it sends the change to the leader. Call
 * `authorise` before the routes are added, and after the hook that sets `request.identity`.
 *
 * Throws when a route declares no right.
 */
export function authorise(app: FastifyInstance): void {
  app.addHook('onRoute', (route) => {
    const { right, connectorOf } = route.config ?? {}
    if (right === undefined) {
      throw new Error(
        `${String(route.method)} ${route.url} declares no right. Give the operation a right beside its schema`,
      )
    }
    if (right === null || right === 'open') return
    const onRequest: onRequestAsyncHookHandler = async (request) => demand(request, right, pathConnector(request))
    route.onRequest = [onRequest, ...listed(route.onRequest)]
    if (connectorOf === undefined) return
    const preHandler: preHandlerAsyncHookHandler = async (request) =>
      demand(request, right, connectorOf(request as FastifyRequest<Route>))
    route.preHandler = [preHandler, ...listed(route.preHandler)]
  })
}

function demand({ identity }: FastifyRequest, right: Right, connector: string | null): void {
  if (connector === null ? mayAnywhere(identity, right) : may(identity, right, connector)) return
  throw restError('forbidden', identity.name, right, connector, grantFor(right, connector))
}

function pathConnector(request: FastifyRequest): string | null {
  return (request as FastifyRequest<Route>).params['connector'] ?? null
}

function listed<H>(hooks: H | H[] | undefined): H[] {
  return hooks === undefined ? [] : ([hooks].flat() as H[])
}
