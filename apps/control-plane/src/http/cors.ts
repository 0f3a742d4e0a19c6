import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { IncomingHttpHeaders } from 'node:http'
import { matchesGlob } from '../access/glob.ts'

/** Kafka Connect's `access.control.allow.origin` and `access.control.allow.methods`, both comma-separated lists. */
export interface CrossOrigin {
  /**
   * `*`, or origins in which `*` stands for any characters: `https://*.example.org`. Empty: no other origin is allowed.
   */
  readonly origins: string
  /** The methods that a preflight request may ask for. Empty: GET, POST and HEAD. */
  readonly methods: string
  /** Headers that pages may send besides those that Connect allows. */
  readonly headers?: readonly string[]
  /**
   * Whether callers log in. A browser adds Basic credentials and client certificates by itself, so `*` then lets no page use
   * them, as in the Fetch standard (3.3.5); an origin that is named may.
   */
  readonly authenticates?: boolean
}

/** The headers and the maximum age of Jetty's CrossOriginFilter, which Connect uses unchanged. */
const ALLOWED_HEADERS = ['X-Requested-With', 'Content-Type', 'Accept', 'Origin']
const MAX_AGE_SECONDS = 1800
const DEFAULT_METHODS = ['GET', 'POST', 'HEAD']

const ANY = '*'

/** Longer origins exist in attacks only, and patterns take time. */
const MAX_ORIGIN_LENGTH = 300

/** Whether pages of an origin may call this API. */
function originMatcher(allowed: readonly string[]): (origin: string) => boolean {
  return (origin) => origin.length <= MAX_ORIGIN_LENGTH && allowed.some((pattern) => matchesGlob(pattern, origin))
}

/** Whether pages of an origin may call this API with credentials that the browser adds. */
function credentialsMatcher({ origins, authenticates = false }: CrossOrigin): (origin: string) => boolean {
  return originMatcher(authenticates ? listed(origins).filter((pattern) => pattern !== ANY) : listed(origins))
}

/** Whether a page of an origin may send a request that changes something. */
export function changesMatcher(crossOrigin: CrossOrigin): (origin: string, headers: IncomingHttpHeaders) => boolean {
  const allowed = originMatcher(listed(crossOrigin.origins))
  const withCredentials = credentialsMatcher(crossOrigin)
  return (origin, headers) => withCredentials(origin) || (allowed(origin) && addedByPage(headers))
}

/** Whether a page itself has put the credentials there, for which it needed a preflight request. */
function addedByPage({ authorization = '', 'x-api-key': key }: IncomingHttpHeaders): boolean {
  return key !== undefined || /^bearer /i.test(authorization)
}

/** Lets pages of the allowed origins call this API (the CORS protocol of the Fetch standard), as Connect does. */
export function allowOrigins(app: FastifyInstance, crossOrigin: CrossOrigin): void {
  const { origins, methods, headers = [] } = crossOrigin
  if (listed(origins).length === 0) return
  const allowed = originMatcher(listed(origins))
  const withCredentials = credentialsMatcher(crossOrigin)
  const allowedHeaders = [...ALLOWED_HEADERS, ...headers]
  const anyOrigin = listed(origins).includes(ANY)
  const allowedMethods = listed(methods).length === 0 ? DEFAULT_METHODS : listed(methods)

  app.addHook('onRequest', async (request, reply) => {
    const { origin } = request.headers
    if (!anyOrigin) reply.header('vary', 'Origin')
    if (origin === undefined || !origin.split(' ').some(allowed)) return
    const asked = request.headers['access-control-request-method']
    if (request.method === 'OPTIONS' && asked !== undefined) {
      if (!allowedMethods.includes(asked) || !headersAllowed(request, allowedHeaders)) return
      reply.header('access-control-max-age', MAX_AGE_SECONDS)
      reply.header('access-control-allow-methods', allowedMethods.join(','))
      reply.header('access-control-allow-headers', allowedHeaders.join(','))
    }
    reply.header('access-control-allow-origin', origin)
    if (origin.split(' ').some(withCredentials)) reply.header('access-control-allow-credentials', 'true')
  })
}

function headersAllowed(request: FastifyRequest, allowed: readonly string[]): boolean {
  const known = allowed.map((name) => name.toLowerCase())
  return listed(request.headers['access-control-request-headers'] ?? '').every((name) =>
    known.includes(name.toLowerCase()),
  )
}

function listed(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
