import type { FastifyInstance, FastifyRequest } from 'fastify'
import { ANONYMOUS } from '../access/identity.ts'
import type { RecordMask } from '../access/record-mask.ts'
import { queryValue, resource, type Route } from '../http/resource.ts'
import { restError } from '../http/rest-errors.ts'
import { answers, query } from '../http/schemas.ts'
import type { ConfigSecrets } from '../services/config-secrets.ts'
import type { ConnectorViews } from '../services/connector-views.ts'
import type { Tails } from '../tail/tails.ts'
import type { TailRecord } from '../tail/worker-lines.ts'

const NUMBERS = {
  rate: { min: 1, max: 1000 },
  records: { min: 1, max: 1_000_000 },
  seconds: { min: 0, max: 3600 },
} as const

interface TailServices {
  readonly views: ConnectorViews
  readonly secrets: ConfigSecrets
  readonly tails: Tails
  readonly mask: RecordMask
}

/** `/connectors/{connector}/tail`: the records of a connector as Kafka gets them. It is ours. */
export function tailRoutes(app: FastifyInstance, { views, secrets, tails, mask }: TailServices): void {
  app.addHook('preClose', async () => tails.close())
  resource(app, '/connectors/:connector/tail', {
    GET: {
      right: 'records',
      audited: true,
      produces: 'text/event-stream',
      schema: {
        summary: 'The records of a connector as Kafka gets them, as server-sent events',
        description:
          'Events: record, status, task (a run has started or ended on a worker), sampled (seen and shown in the last second, when some were left out), dropped, worker, end. A comment comes each 10 s.',
        querystring: query({
          rate: 'Most records in a second: 1 to 1000 (default 100); of more, an even sample is shown',
          records: 'The tail ends after so many records',
          seconds: 'The tail ends after so many seconds: 0 to 3600 (default); 0 shows the status alone',
          topic: 'Only records of this topic',
        }),
        response: answers({ 200: { type: 'string' } }, [400, 404, 429]),
      },
      handler: (request, reply) => {
        const { identity } = request
        const connector = request.params['connector']!
        views.config(connector)
        const rate = numberOf(request, 'rate') ?? 100
        const records = numberOf(request, 'records')
        const seconds = numberOf(request, 'seconds') ?? NUMBERS.seconds.max
        const topic = queryValue(request, 'topic') ?? null
        reply.type('text/event-stream').header('cache-control', 'no-store').header('x-accel-buffering', 'no')
        if (request.method === 'HEAD') return reply.send('')
        const show = (record: TailRecord): object => {
          const { partition, offset } = record.source
          const [source] = secrets.offsets(identity, connector, [{ partition, offset } as never])
          return { ...mask.record(record), source }
        }
        const caller = identity.name === ANONYMOUS.name ? `anonymous at ${request.ip}` : identity.name
        return reply.send(tails.open({ connector, rate, topic, records, seconds, show }, caller))
      },
    },
  })
}

function numberOf(request: FastifyRequest<Route>, name: keyof typeof NUMBERS): number | null {
  const { min, max } = NUMBERS[name]
  const text = queryValue(request, name)
  if (text === undefined) return null
  const number = /^\d{1,7}$/.test(text) ? Number(text) : NaN
  if (number >= min && number <= max) return number
  throw restError('queryInvalid', name, text, `a whole number from ${min} to ${max}`)
}
