import { stringifyJson } from '@tributary/config'
import type { FastifyInstance } from 'fastify'
import { UNKNOWN } from '../access/identity.ts'
import { decodeOffsets, offsetEntries } from '../http/offsets-body.ts'
import { resource } from '../http/resource.ts'
import { answers, ref } from '../http/schemas.ts'
import type { ConfigSecrets } from '../services/config-secrets.ts'
import type { ConnectorOffsets } from '../services/connector-offsets.ts'
import type { ConnectorViews } from '../services/connector-views.ts'

/** `/connectors/{connector}/offsets` (KIP-875) */
export function offsetRoutes(
  app: FastifyInstance,
  views: ConnectorViews,
  offsets: ConnectorOffsets,
  secrets: ConfigSecrets,
): void {
  resource(app, '/connectors/:connector/offsets', {
    GET: {
      right: 'configs',
      schema: {
        summary: 'How far the connector has come',
        description: 'What is committed now, read to the end of the offsets topic.',
        response: answers({ 200: ref('Offsets') }, [404]),
      },
      handler: async (request) => {
        const connector = request.params['connector']!
        return { offsets: secrets.offsets(request.identity, connector, await offsets.read(connector)) }
      },
    },

    PATCH: {
      right: 'alter',
      numbers: 'value',
      schema: {
        summary: 'Change offsets of a STOPPED connector',
        description: 'Replaces the offsets of the partitions that are named; an offset of null removes them.',
        body: ref('SentOffsets'),
        response: answers({ 200: ref('Message') }, [400, 404]),
      },
      // The body is decoded first, because an empty list is a mistake whether or not the connector exists.
      handler: async (request) => {
        const { identity, auditWork } = request
        const connector = request.params['connector']!
        const sent = decodeOffsets(request.body)
        const stored = views.has(connector) ? views.config(connector) : null
        // A source that refuses a partition names its own, which may hold the secret of a URL.
        const answer = await secrets.hiding(identity, connector, stored, () => offsets.alter(connector, sent))
        if (auditWork) auditWork.about = stringifyJson(secrets.offsets(UNKNOWN, connector, offsetEntries(sent)))
        return answer
      },
    },

    DELETE: {
      right: 'alter',
      schema: {
        summary: 'Forget the offsets of a STOPPED connector',
        response: answers({ 200: ref('Message') }, [400, 404]),
      },
      handler: (request) => offsets.reset(request.params['connector']!),
    },
  })
}
