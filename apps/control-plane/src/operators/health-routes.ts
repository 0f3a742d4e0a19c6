import type { FastifyInstance } from 'fastify'
import type { Identity } from '../access/identity.ts'
import { may } from '../access/rights.ts'
import { operatorResource } from '../http/operator-resource.ts'
import { answers, ref } from '../http/schemas.ts'
import type { ComponentReport } from './health/component.ts'
import type { HealthChecks } from './health/health-checks.ts'

/** `/health` and `/health/{component}` of the operators' port: the whole installation. 503 only for what is unhealthy. */
export function operatorsHealthRoutes(app: FastifyInstance, checks: HealthChecks, version: string): void {
  const onOperators = { listener: 'operators' } as const

  operatorResource(
    app,
    '/health',
    {
      GET: {
        right: 'open',
        schema: {
          summary: 'Health of the installation and of its parts',
          description: 'Errors and details are for those who may view every connector.',
          response: { 200: ref('InstallationHealth'), 503: ref('InstallationHealth') },
        },
        handler: async (request, reply) => {
          const { status, components } = await checks.read()
          const now = new Date().toISOString()
          return reply.code(status === 'unhealthy' ? 503 : 200).send({
            ...{ status, timestamp: now, check_time: now, version, uptime_seconds: Math.floor(process.uptime()) },
            components: Object.fromEntries(
              Object.entries(components).map(([name, report]) => [name, shown(report, request.identity)]),
            ),
          })
        },
      },
    },
    onOperators,
  )

  operatorResource(
    app,
    '/health/:component',
    {
      GET: {
        right: 'open',
        schema: {
          summary: 'Health of one part of the installation',
          response: answers({ 200: ref('ComponentHealth'), 503: ref('ComponentHealth'), 404: ref('UnknownComponent') }),
        },
        handler: async (request, reply) => {
          const name = request.params['component'] ?? ''
          const report = await checks.component(name)
          if (report !== null)
            return reply.code(report.status === 'unhealthy' ? 503 : 200).send(shown(report, request.identity))
          const available = checks.names()
          const message = `There is no component ${name} in use; there are ${available.join(', ')}`
          return reply.code(404).send({
            ...{ status: 'error', error: 'NOT_FOUND', error_code: 404, message, available_components: available },
            ...{ timestamp: new Date().toISOString(), request_id: request.shownId },
          })
        },
      },
    },
    onOperators,
  )
}

/** Probes ask without credentials. Names, addresses and reasons are not for everybody. */
function shown(report: ComponentReport, identity: Identity): Partial<ComponentReport> {
  if (may(identity, 'view', '*')) return report
  const { status, response_time_ms, check_time, last_successful_check } = report
  return { status, response_time_ms, check_time, last_successful_check }
}
