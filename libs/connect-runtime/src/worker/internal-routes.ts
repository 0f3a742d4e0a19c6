import type { ConfigProviders } from '@tributary/config'
import type { OffsetEntry, Props, ReplayRequest, SourcePlugin } from '@tributary/connect-api'
import { type ClosingResponse, closeSignal } from '@tributary/async'
import type { Herder } from './herder.ts'
import { taskHealth } from './health.ts'
import type { PreviewRequest } from '../preview/answer.ts'
import type { Replays } from '../replay/replays.ts'
import type { Previews } from '../preview/previews.ts'
import type { TailTerms } from '../tail/tail.ts'
import { tailStream } from '../tail/tail-stream.ts'
import type { Taps } from '../tail/taps.ts'
import { findPlugin } from '../assignment/units.ts'
import type { OwnTransforms } from '../model/transformations.ts'
import { planConnector, type Planning, type PlanRequest } from './plan-connector.ts'
import { checkOffsets, untilOver, validateConnector } from './validate-connector.ts'

interface RouteRequest {
  readonly params: unknown
  readonly query: unknown
  readonly body: unknown
}

interface RouteReply {
  readonly raw: ClosingResponse
  code(status: number): unknown
  type(contentType: string): unknown
}

/** The part of Fastify that adds a route. */
export interface AdminRoutes {
  route(options: {
    method: string
    url: string
    handler: (request: RouteRequest, reply: RouteReply) => Promise<unknown>
  }): unknown
}

export interface InternalRoutesOptions {
  readonly plugins: readonly SourcePlugin[]
  readonly herder: Herder
  readonly previews: Previews
  readonly planning: () => Omit<Planning, 'herder'>
  readonly replays: Replays
  readonly taps: Taps
  /** The worker's exactly.once.source.support is enabled. */
  readonly exactlyOnceSource: boolean
  readonly providers: ConfigProviders
  /** Transforms and predicates of the service's own. Absent: none. */
  readonly transforms?: OwnTransforms
}

/** `signal`: the caller has gone. */
type Handle = (name: string, body: unknown, signal: AbortSignal) => Promise<object> | object

/**
 * Adds the routes that the control plane calls: they check configurations and offsets with the plugin's code, and report the
 * health of tasks, and replay dead letters. The admin server lets in only requests that are signed with the cluster's key. An answer with `error_code`
 * has that HTTP status.
 */
export function addInternalRoutes(admin: AdminRoutes, options: InternalRoutesOptions): void {
  const { plugins, herder, previews, replays, providers, planning, taps } = options
  const add = (method: 'GET' | 'PUT', url: string, handle: Handle) =>
    admin.route({
      method,
      url,
      handler: async (request, reply) => {
        const { name } = request.params as { name: string }
        const answer = await handle(name, request.body, closeSignal(reply.raw))
        if ('error_code' in answer) reply.code(answer.error_code as number)
        return answer
      },
    })
  add('PUT', '/internal/plugins/:name/validate', async (className, body, signal) => {
    const plugin = findPlugin(plugins, className)
    if (!plugin) return { error_code: 404, message: `no plugin ${className} here` }
    return { errors: await validateConnector(plugin, body as Props, options, signal) }
  })
  add('PUT', '/internal/plugins/:name/offsets/check', async (className, body, signal) => {
    const plugin = findPlugin(plugins, className)
    if (!plugin) return { error_code: 404, message: `no plugin ${className} here` }
    const { config, offsets } = body as { config: Props; offsets: OffsetEntry[] }
    const errors = await checkOffsets(plugin, config, offsets, providers, signal)
    return { errors, complete: plugin.connector.offsetsOnlyInKafka === true }
  })
  add('PUT', '/internal/plugins/:name/preview', (className, body, signal) => {
    const plugin = findPlugin(plugins, className)
    if (!plugin) return { error_code: 404, message: `no plugin ${className} here` }
    return previews.run(plugin, body as PreviewRequest, signal)
  })
  add('PUT', '/internal/plugins/:name/plan', (className, body, signal) => {
    const plugin = findPlugin(plugins, className)
    if (!plugin) return { error_code: 404, message: `no plugin ${className} here` }
    return planConnector(plugin, body as PlanRequest, { ...planning(), herder }, untilOver(signal))
  })
  add('PUT', '/internal/connectors/:name/replay', (connector, body) => replays.run(connector, body as ReplayRequest))
  add('GET', '/internal/connectors/:name/health', (connector) => {
    const now = Date.now()
    return { tasks: herder.tasks(connector).map((unit) => taskHealth(unit, now)) }
  })
  admin.route({
    method: 'GET',
    url: '/internal/connectors/:name/tail',
    handler: async (request, reply) => {
      const { name } = request.params as { name: string }
      const stream = tailStream(taps, name, termsOf(request.query as Readonly<Record<string, string | undefined>>))
      if (stream === null) reply.code(429)
      else reply.type('application/x-ndjson')
      return stream ?? { error_code: 429, message: 'This worker shows as many tails as it can. Try again later.' }
    },
  })
}

function termsOf({ rate, topic }: Readonly<Record<string, string | undefined>>): TailTerms {
  return { rate: Math.min(1000, Math.max(1, Number(rate) || 1)), topic: topic ?? null }
}
