import type { AuditChange, AuditEntry, AuditLog, ConfigStore, ConnectorConfig } from '@tributary/connect-storage'
import { hideSecrets, redact } from '@tributary/telemetry'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AsyncLocalStorage } from 'node:async_hooks'
import type { FailedLogin } from '../access/login.ts'
import { holdsSecret } from '../access/mask.ts'
import type { Route } from '../http/resource.ts'
import { restError } from '../http/rest-errors.ts'
import { callerOf } from '../leadership/replica-requests.ts'
import { Flood } from './flood.ts'
import { observedConfigs } from './observed-configs.ts'

export interface AuditTrailOptions {
  readonly audit: AuditLog
  /** Whether a change is refused while the audit log cannot be written. */
  readonly required: boolean
  /** host:port of this replica; null before it listens. */
  readonly self: () => string | null
}

/** What a request that is carried out here has changed so far. A preview changes nothing. */
interface Work {
  /** The connector that the path names. */
  readonly connector: string | null
  readonly changes: AuditChange[]
  /** How many of the changes are written; null: the request is not answered yet. */
  written: number | null
  /** What else the request is about; see AuditEntry. */
  about: string | null
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set while this replica carries out a change, or a preview; null for every other request. */
    auditWork: Work | null
  }
}

type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

const MINUTE_MS = 60_000
/** A path, an error or a header of a client is cut to so many characters. */
const MAX_TEXT = 1000

/**
 * Writes an entry for each change, and for each preview, before it is answered, and for failed logins and refused rights beside it. A change is
 * recorded where it is carried out, by the leader, with the caller that the forwarding replica names.
 */
export class AuditTrail {
  readonly #options: AuditTrailOptions
  readonly #works = new AsyncLocalStorage<Work>()
  readonly #flood: Flood<AuditEntry>
  #store: ConfigStore | null = null

  constructor(options: AuditTrailOptions) {
    this.#options = options
    this.#flood = new Flood((entry, count) => this.#appendLater({ ...entry, count }))
  }

  /** The store through which changes of configurations are seen. */
  observe(store: ConfigStore): ConfigStore {
    this.#store = store
    return observedConfigs(store, (connector, before, after) => {
      const work = this.#works.getStore()
      // A pause of the connector in the path is told by the path; one of many connectors is not.
      if (work === undefined || (before === null && after === null && connector === work.connector)) return
      work.changes.push({ connector, before, after })
    })
  }

  /**
   * Adds the hooks. Call this after the hooks that ask who sends a request, before the write gate, and before the routes are
   * added. `mask` hides the secrets of a configuration.
   */
  guard(app: FastifyInstance, mask: (config: ConnectorConfig) => ConnectorConfig): void {
    app.decorateRequest('auditWork', null)
    app.addHook('onRoute', (route) => {
      if (route.config?.write !== true && route.config?.audited !== true) return
      const handler = route.handler as Handler
      route.handler = (request, reply) => this.#carryOut(request, reply, handler, mask)
    })
    app.addHook('onSend', async (request, reply, payload) => {
      const { auditWork: work } = request
      if (work !== null && work.written === null) return this.#record(request, reply, payload, work, mask)
      const { statusCode: status } = reply
      // A leader that died may have made a change, and not have recorded it. The replica that sent the change on says so.
      const inDoubt = status === 503 && request.routeOptions.config.write === true && !request.forwarded
      if (status === 403 || inDoubt) this.#refused(request, status, payload)
    })
    const minute = setInterval(() => this.#flood.endMinute(), MINUTE_MS).unref()
    app.addHook('onClose', async () => {
      clearInterval(minute)
      this.#flood.endMinute()
    })
  }

  /** For credentials that were refused. */
  failedLogin({ reason, claimed, address, method, path }: FailedLogin): void {
    this.#flood.add(`login ${address}`, {
      ...{
        id: '',
        time: Date.now(),
        who: cut(claimed ?? 'anonymous'),
        action: 'login',
        path: cut(`${method} ${path}`),
      },
      ...{ connector: null, address, replica: this.#replica, status: 401, outcome: 'denied', error: cut(reason) },
      ...{ count: 1, changes: [] },
    })
  }

  async #carryOut(
    request: FastifyRequest,
    reply: FastifyReply,
    handler: Handler,
    mask: (config: ConnectorConfig) => ConnectorConfig,
  ): Promise<unknown> {
    const { audit, required } = this.#options
    if (required && audit.trouble !== null) throw restError('auditDown', audit.trouble)
    const connector = (request as FastifyRequest<Route>).params?.['connector'] ?? null
    const work: Work = { connector, changes: [], written: null, about: null }
    request.auditWork = work
    try {
      return await this.#works.run(work, async () => handler(request, reply))
    } finally {
      // The request has timed out and was answered, and went on.
      const late = work.written === null ? [] : work.changes.slice(work.written)
      if (late.length > 0) {
        const error = 'The request had timed out before. This is what it did afterwards.'
        this.#appendLater({ ...this.#entry(request, 200, null), error, changes: masked(late, mask) })
      }
    }
  }

  /** Throws for a change that is not recorded: it must not look like one that is. */
  async #record(
    request: FastifyRequest,
    reply: FastifyReply,
    payload: unknown,
    work: Work,
    mask: (config: ConnectorConfig) => ConnectorConfig,
  ): Promise<unknown> {
    work.written = work.changes.length
    const told = this.#entry(request, reply.statusCode, payload)
    const known = [sentConfig(request.body), ...this.#configsOf(told.connector, work.changes)]
    const entry = { ...told, ...(told.error !== undefined && { error: hidingSecrets(told.error, known, mask) }) }
    try {
      await this.#options.audit.append({ ...entry, changes: masked(work.changes, mask) })
    } catch (error) {
      // The log of the process has the entry.
      if (this.#options.required && entry.outcome === 'done')
        throw restError('auditUnwritten', (error as Error).message)
    }
    reply.header('x-request-id', entry.id)
    return payload
  }

  /** A right that the caller lacks, a request of a page or a sender that may not send it, or a change whose end is not known. */
  #refused(request: FastifyRequest, status: number, payload: unknown): void {
    const entry = this.#entry(request, status, payload)
    this.#flood.add(`${status} ${entry.who} ${entry.address}`, entry)
  }

  #entry(request: FastifyRequest, status: number, payload: unknown): AuditEntry {
    const { method, routeOptions, headers, ip, signed } = request
    const caller = callerOf(request)
    const forwardedFor = headers['x-forwarded-for']
    const outcome = status < 400 ? 'done' : status === 401 || status === 403 ? 'denied' : 'failed'
    const error = outcome === 'done' ? null : messageOf(payload)
    return {
      id: request.shownId,
      time: Date.now(),
      // Absent for a request that was refused before anybody asked who sends it.
      who: cut((request.identity as FastifyRequest['identity'] | null)?.name ?? 'anonymous'),
      action: `${method} ${(routeOptions.url ?? '/{unknown}').replaceAll(/:(\w+)/g, '{$1}')}`,
      path: cut(withoutSecrets(request.originalUrl)),
      connector: connectorOf(request as FastifyRequest<Route>),
      address: caller?.address ?? ip,
      ...(forwardedFor !== undefined && { forwarded_for: cut(String(forwardedFor)) }),
      ...(caller !== null && signed !== null && { via: signed.from }),
      ...{ replica: this.#replica, status, outcome, count: 1, changes: [] },
      ...(request.auditWork?.about && { about: cut(request.auditWork.about) }),
      ...(error !== null && { error: cut(error) }),
    }
  }

  /** The configurations before this request, and the one that is stored now: an error may tell of what was not sent. */
  #configsOf(connector: string | null, changes: readonly AuditChange[]): ConnectorConfig[] {
    const stored = connector === null ? null : (this.#store?.snapshot.config(connector) ?? null)
    return [stored, ...changes.map(({ before }) => before)].filter((config) => config !== null)
  }

  get #replica(): string {
    return this.#options.self() ?? ''
  }

  #appendLater(entry: AuditEntry): void {
    this.#options.audit.append(entry).catch(() => undefined)
  }
}

function masked(changes: readonly AuditChange[], mask: (config: ConnectorConfig) => ConnectorConfig): AuditChange[] {
  return changes.map(({ connector, before, after }) => {
    return { connector, before: before && mask(before), after: after && mask(after) }
  })
}

function connectorOf(request: FastifyRequest<Route>): string | null {
  try {
    const named = request.params?.['connector'] ?? request.routeOptions.config.connectorOf?.(request) ?? null
    return named === null ? null : cut(named)
  } catch {
    // A body that names no connector.
    return null
  }
}

/** The configuration in a body; {} without one. */
function sentConfig(body: unknown): ConnectorConfig {
  const { config = body } = (body ?? {}) as { config?: unknown }
  if (typeof config !== 'object' || config === null) return {}
  return Object.fromEntries(Object.entries(config).filter(([, value]) => typeof value === 'string'))
}

/** An error without the secrets of these configurations. */
function hidingSecrets(
  error: string,
  configs: readonly ConnectorConfig[],
  mask: (config: ConnectorConfig) => ConnectorConfig,
): string {
  const secrets = configs.flatMap((config) => {
    const shown = mask(config)
    return Object.entries(config).flatMap(([key, value]) => (shown[key] === value ? [] : [value]))
  })
  const endRedaction = hideSecrets(secrets)
  const hidden = redact(error)
  endRedaction()
  return hidden
}

/** A query may hold anything. Ours hold patterns and flags. */
function withoutSecrets(url: string): string {
  return holdsSecret(url) ? url.split('?', 1)[0]! : url
}

/** The message of an answer with an error. */
function messageOf(payload: unknown): string | null {
  if (typeof payload !== 'string') return null
  try {
    const { message } = JSON.parse(payload) as { message?: unknown }
    return typeof message === 'string' ? message : null
  } catch {
    return null
  }
}

function cut(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text
}
