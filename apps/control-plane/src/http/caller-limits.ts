import { callerOfAddress, isLoopback, isSigned, RateLimit } from '@tributary/service'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { hash } from 'node:crypto'
import { CREDENTIAL_HEADERS } from '../access/credentials.ts'
import { ANONYMOUS } from '../access/identity.ts'

export interface CallerLimitSettings {
  /** Requests of one caller in a second, on average; as many again at once. 0: no limit. */
  readonly requestsPerSecond: number
  /** Failed logins from one address in a minute. 0: no limit. */
  readonly failedLoginsPerMinute: number
}

/** Credentials that were right, which a limit of failed logins does not stop: others may use the same address. */
const MAX_KNOWN = 1000

/**
 * Limits how often one caller is answered, with 429 and `Retry-After` (RFC 6585, section 4). A caller is who has logged in;
 * before, it is an address. Addresses of this machine are not limited: they are those of its own proxy and tools.
 */
export class CallerLimits {
  readonly #settings: CallerLimitSettings
  readonly #requests: RateLimit
  readonly #failures: RateLimit
  /** Digests of credentials. */
  readonly #known = new Set<string>()

  /** `now`: monotonic, in ms. */
  constructor(settings: CallerLimitSettings, now?: () => number) {
    this.#settings = settings
    this.#requests = new RateLimit(settings.requestsPerSecond, settings.requestsPerSecond * 2, now)
    this.#failures = new RateLimit(settings.failedLoginsPerMinute / 60, settings.failedLoginsPerMinute, now)
  }

  /** Limits addresses, and failed logins. Call it before the hook that authenticates is added. */
  beforeLogin(app: FastifyInstance): void {
    const { requestsPerSecond, failedLoginsPerMinute } = this.#settings
    app.addHook('onRequest', async (request, reply) => {
      if (isSigned(request)) return
      const address = addressOf(request)
      if (requestsPerSecond > 0 && !isLoopback(address)) {
        const waitMs = this.#requests.take(`address ${address}`)
        if (waitMs > 0) return this.#refuse(reply, waitMs, `the address ${address}`)
      }
      if (failedLoginsPerMinute === 0) return
      const credentials = digestOfCredentials(request)
      if (credentials === null || this.#known.has(credentials)) return
      const waitMs = this.#failures.wait(address)
      if (waitMs === 0) return
      const message = `The address ${address} has failed to log in more than ${failedLoginsPerMinute} times in a minute (access.failed.logins.per.minute).`
      return refuse(reply, waitMs, message)
    })
    if (failedLoginsPerMinute === 0) return
    app.addHook('onResponse', async (request, reply) => {
      if (reply.statusCode !== 401) return
      const credentials = digestOfCredentials(request)
      if (credentials === null) return
      this.#known.delete(credentials)
      this.#failures.take(addressOf(request))
    })
  }

  /** Limits who has logged in. Call it after the hook that authenticates was added. */
  afterLogin(app: FastifyInstance): void {
    const { requestsPerSecond } = this.#settings
    app.addHook('onRequest', async (request, reply) => {
      const name = request.identity.name
      if (name === ANONYMOUS.name) return
      this.#remember(digestOfCredentials(request))
      if (requestsPerSecond === 0) return
      const waitMs = this.#requests.take(name)
      if (waitMs > 0) return this.#refuse(reply, waitMs, name)
    })
  }

  #remember(credentials: string | null): void {
    if (credentials === null || this.#known.has(credentials)) return
    this.#known.add(credentials)
    if (this.#known.size > MAX_KNOWN) this.#known.delete(this.#known.values().next().value!)
  }

  #refuse(reply: FastifyReply, waitMs: number, caller: string): FastifyReply {
    const { requestsPerSecond } = this.#settings
    const message = `More than ${requestsPerSecond} requests a second come from ${caller} (rest.requests.per.second).`
    return refuse(reply, waitMs, message)
  }
}

function refuse(reply: FastifyReply, waitMs: number, why: string): FastifyReply {
  const seconds = Math.max(1, Math.ceil(waitMs / 1000))
  const message = `${why} Send the request again in ${seconds} s.`
  return reply.code(429).header('retry-after', String(seconds)).send({ error_code: 429, message })
}

function addressOf(request: FastifyRequest): string {
  return callerOfAddress(request.ip)
}

function digestOfCredentials({ headers }: FastifyRequest): string | null {
  const sent = CREDENTIAL_HEADERS.map((name) => headers[name.toLowerCase()] ?? null)
  return sent.every((value) => value === null) ? null : hash('sha256', JSON.stringify(sent))
}
