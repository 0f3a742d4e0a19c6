import { timingSafeEqual } from 'node:crypto'
import { mergeSpecs, resolveReferences, type SecretLike, validateConfig } from '@tributary/config'
import {
  errorKind,
  type FieldError,
  type Props,
  SOURCE_CONNECTOR_KEYS,
  type SourcePlugin,
} from '@tributary/connect-api'
import type { Herder } from './herder.ts'
import { taskHealth } from './health.ts'
import { findPlugin } from './units.ts'

export interface RouteRequest {
  readonly params: Readonly<Record<string, string>>
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: unknown
}

export interface RouteAnswer {
  readonly status: number
  readonly body: unknown
}

/** A route of the worker's admin server; `path` in Fastify's form. */
export interface InternalRoute {
  readonly method: 'GET' | 'PUT'
  readonly path: string
  readonly handle: (request: RouteRequest) => Promise<RouteAnswer>
}

export interface InternalRoutesOptions {
  readonly plugins: readonly SourcePlugin[]
  readonly herder: Herder
  readonly key: SecretLike | null
}

const VALIDATE_TIMEOUT_MS = 20_000

/** What the control plane asks of a worker: to judge a configuration by the plugin's code, and how its tasks are. */
export function internalRoutes({ plugins, herder, key }: InternalRoutesOptions): InternalRoute[] {
  const guarded =
    (handle: InternalRoute['handle']): InternalRoute['handle'] =>
    async (request) =>
      allowed(key, request.headers['x-tributary-key'])
        ? handle(request)
        : {
            status: 403,
            body: { error_code: 403, message: 'the header x-tributary-key does not hold TRIBUTARY_INTERNAL_KEY' },
          }
  return [
    {
      method: 'PUT',
      path: '/internal/plugins/:class/validate',
      handle: guarded(async ({ params, body }) => {
        const plugin = findPlugin(plugins, params['class'])
        if (!plugin) return { status: 404, body: { error_code: 404, message: `no plugin ${params['class']} here` } }
        return { status: 200, body: { errors: await validate(plugin, body as Props) } }
      }),
    },
    {
      method: 'GET',
      path: '/internal/connectors/:connector/health',
      handle: guarded(({ params }) => {
        const now = Date.now()
        const tasks = herder.tasks(params['connector']!).map((unit) => taskHealth(unit, now))
        return Promise.resolve({ status: 200, body: { tasks } })
      }),
    },
  ]
}

async function validate(plugin: SourcePlugin, config: Props): Promise<FieldError[]> {
  try {
    const { props } = resolveReferences(config, process.env)
    // What a reference stands for is known only here, so that the spec judges once more.
    const { values } = validateConfig(mergeSpecs({ keys: SOURCE_CONNECTOR_KEYS }, plugin.connector.spec), props)
    const found = values.flatMap(({ name, errors }) => errors.map((message) => ({ field: name, message })))
    if (found.length > 0) return found
    return (await plugin.connector.validate?.(props, AbortSignal.timeout(VALIDATE_TIMEOUT_MS))) ?? []
  } catch (error) {
    const field = (error as { field?: string }).field
    if (errorKind(error) !== 'config' || field === undefined) throw error
    return [{ field, message: (error as Error).message }]
  }
}

function allowed(key: SecretLike | null, header: string | string[] | undefined): boolean {
  if (key === null) return true
  const wanted = Buffer.from(key.reveal())
  const given = Buffer.from(typeof header === 'string' ? header : '')
  return wanted.length === given.length && timingSafeEqual(wanted, given)
}
