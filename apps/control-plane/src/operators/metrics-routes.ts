import { PROMETHEUS_CONTENT_TYPE } from '@tributary/telemetry'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Authenticator, UNKNOWN } from '../access/identity.ts'
import { API_PREFIX, operatorResource } from '../http/operator-resource.ts'
import { RestError } from '../http/rest-errors.ts'
import { answers } from '../http/schemas.ts'
import type { OperatorsMetrics } from './metrics/operators-metrics.ts'

const PATH = '/metrics'
const PATHS: readonly string[] = [PATH, `${API_PREFIX}${PATH}`]

/** Lets the credentials of metrics in on `/metrics` alone, where they are no credentials of the API. */
export function metricsReader(mayRead: (request: FastifyRequest) => boolean): Authenticator {
  return {
    authenticate: (request) => {
      const isMetrics = PATHS.includes(request.routeOptions.url ?? '')
      return Promise.resolve(isMetrics && mayRead(request) ? UNKNOWN : null)
    },
  }
}

/** `/metrics` of the operators' port, for those who may read it on the admin port. */
export function operatorsMetricsRoutes(
  app: FastifyInstance,
  metrics: OperatorsMetrics,
  mayRead: (request: FastifyRequest) => boolean,
): void {
  operatorResource(
    app,
    PATH,
    {
      GET: {
        right: 'open',
        produces: 'text/plain',
        schema: {
          summary: 'What the control plane measures, in the text format of Prometheus',
          response: answers({ 200: { type: 'string' } }, [401]),
        },
        handler: async (request, reply) => {
          if (!mayRead(request)) {
            reply.header('www-authenticate', 'Bearer')
            throw new RestError(
              401,
              'GET /metrics needs the bearer token of admin.metrics.token, or a client certificate.',
            )
          }
          const text = await metrics.text()
          return reply
            .type(PROMETHEUS_CONTENT_TYPE)
            .serializer((body: string) => body)
            .send(text)
        },
      },
    },
    { listener: 'operators' },
  )
}
