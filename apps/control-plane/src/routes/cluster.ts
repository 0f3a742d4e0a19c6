import type { FastifyInstance } from 'fastify'
import { may } from '../access/rights.ts'
import { type Operation, queryValue, resource } from '../http/resource.ts'
import { restError } from '../http/rest-errors.ts'
import { answers, query, ref } from '../http/schemas.ts'
import type { Cluster } from '../services/cluster.ts'
import type { Connectors } from '../services/connectors.ts'

/** `/cluster…` is ours: the services with their live workers, and changes of many connectors at once. */
export function clusterRoutes(app: FastifyInstance, cluster: Cluster, connectors: Connectors): void {
  const all = (state: 'PAUSED' | 'STARTED', summary: string): Operation => ({
    right: 'operate',
    schema: {
      summary,
      description: 'Those that are STOPPED stay as they are, and so do those that the caller may not operate.',
      querystring: query({ pattern: 'Names: * stands for any characters, ? for one; required, * for all connectors' }),
      response: answers({ 200: ref('Changed') }, [400]),
    },
    handler: (request) => {
      const pattern = queryValue(request, 'pattern')
      // A pattern is required, so that nobody pauses all connectors by mistake.
      if (!pattern) throw restError('patternMissing')
      return connectors.setTargetStates(request.identity, pattern, state)
    },
  })

  resource(app, '/cluster', {
    GET: {
      right: 'view',
      schema: { summary: 'Services, live workers and versions', response: answers({ 200: ref('Cluster') }) },
      handler: (request) => cluster.read((connector) => may(request.identity, 'view', connector)),
    },
  })
  resource(app, '/cluster/connectors/pause', { PUT: all('PAUSED', 'Pause all connectors of a name pattern') })
  resource(app, '/cluster/connectors/resume', { PUT: all('STARTED', 'Resume all paused connectors of a name pattern') })
}
