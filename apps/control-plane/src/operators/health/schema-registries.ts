import { allowedAddress, type Props } from '@tributary/connect-api'
import type { ConnectorViews } from '../../services/connector-views.ts'
import { type ComponentState, type HealthComponent, worst } from './component.ts'

// As in libs/service/src/admin-server.ts: an import would load undici.
const { request: httpRequest } = process.getBuiltinModule('node:http')
const { request: httpsRequest } = process.getBuiltinModule('node:https')

/** `value.converter.schema.registry.url`, and the same of keys and transforms. */
const URL_KEY = /(?:^|\.)schema\.registry\.url$/
/** Registries that one look asks. */
const MAX_ASKED = 10
/** A registry has some thousand subjects; what is beyond is not counted. */
const MAX_BYTES = 4 * 1024 * 1024

interface RegistryState extends ComponentState {
  readonly url: string
  readonly subjects: number | null
  readonly tookMs: number
}

/**
 * The schema registries that connectors name, each asked for its subjects (`GET /subjects`). Credentials and certificates are
 * known to workers alone, so a registry that refuses the question counts as healthy: it is there.
 */
export function schemaRegistriesHealth(views: ConnectorViews): HealthComponent {
  return {
    name: 'schema_registry',
    inUse: () => registriesOf(views).length > 0,
    check: async (signal) => {
      const urls = registriesOf(views)
      const asked = await Promise.all(urls.slice(0, MAX_ASKED).map((url) => ask(url, signal)))
      const counts = asked.flatMap(({ subjects }) => subjects ?? [])
      const statuses = asked.map(({ status }) => status)
      const error = asked.find((registry) => registry.error !== undefined)?.error
      return {
        // Connectors of the other registries go on.
        status: statuses.every((status) => status === 'unhealthy') ? 'unhealthy' : worst(statuses.map(orDegraded)),
        ...(error !== undefined && { error }),
        fields: {
          registered_schemas: counts.length === 0 ? null : counts.reduce((sum, count) => sum + count, 0),
          registries: asked.map(({ url, status, subjects, tookMs, error: why }) => ({
            ...{ url, status, response_time_ms: tookMs, registered_schemas: subjects },
            ...(why !== undefined && { error: why }),
          })),
          ...(urls.length > MAX_ASKED && { not_checked: urls.length - MAX_ASKED }),
        },
      }
    },
  }
}

function orDegraded(status: ComponentState['status']): ComponentState['status'] {
  return status === 'unhealthy' ? 'degraded' : status
}

/** Without credentials and query, each once. */
function registriesOf(views: ConnectorViews): string[] {
  const named = views.names().flatMap((name) => urlsIn(views.config(name)))
  return [...new Set(named)].sort()
}

function urlsIn(config: Props): string[] {
  return Object.entries(config).flatMap(([key, value]) => (URL_KEY.test(key) ? value.split(',').flatMap(plainUrl) : []))
}

/** Only a worker knows what a reference (`${file:…}`) stands for. */
function plainUrl(text: string): string[] {
  const url = URL.parse(text.trim())
  if (url === null || !/^https?:$/.test(url.protocol) || text.includes('${')) return []
  return [`${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`]
}

async function ask(url: string, signal: AbortSignal): Promise<RegistryState> {
  const startedAt = performance.now()
  const tookMs = (): number => Math.round((performance.now() - startedAt) * 10) / 10
  try {
    const { status, subjects } = await subjectsOf(url, signal)
    if (status >= 500)
      return { url, status: 'unhealthy', error: `${url} answers ${status}.`, subjects: null, tookMs: tookMs() }
    return { url, status: 'healthy', subjects, tookMs: tookMs() }
  } catch (error) {
    // The registry has answered: its certificate is one for workers.
    if (isCertificateError(error)) return { url, status: 'healthy', subjects: null, tookMs: tookMs() }
    const { message, code } = error as NodeJS.ErrnoException
    const why = signal.aborted ? 'no answer in time' : message || String(code)
    return {
      url,
      status: 'unhealthy',
      error: `Schema registry not available: ${url}: ${why}`,
      subjects: null,
      tookMs: tookMs(),
    }
  }
}

function isCertificateError(error: unknown): boolean {
  const { code = '' } = error as NodeJS.ErrnoException
  return /^(?:ERR_TLS_CERT|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(code)
}

function subjectsOf(url: string, signal: AbortSignal): Promise<{ status: number; subjects: number | null }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; subjects: number | null }>()
  const { hostname } = new URL(url)
  const request = url.startsWith('https:') ? httpsRequest : httpRequest
  const headers = { accept: 'application/vnd.schemaregistry.v1+json, application/json' }
  const asking = request(`${url}/subjects`, { agent: false, signal, headers, ...allowedAddress(hostname) })
  asking.once('error', reject)
  asking.once('response', (response) => {
    const chunks: Buffer[] = []
    let size = 0
    const status = response.statusCode ?? 0
    response.on('error', reject)
    response.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= MAX_BYTES) return void chunks.push(chunk)
      resolve({ status, subjects: null })
      response.destroy()
    })
    response.on('end', () => resolve({ status, subjects: countOf(Buffer.concat(chunks).toString()) }))
  })
  asking.end()
  return promise
}

/** The number of items of a list in JSON; null for anything else. */
function countOf(text: string): number | null {
  try {
    const list = JSON.parse(text) as unknown
    return Array.isArray(list) ? list.length : null
  } catch {
    return null
  }
}
