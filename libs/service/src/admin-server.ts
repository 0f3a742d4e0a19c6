import { createHash, timingSafeEqual } from 'node:crypto'
import type { RequestListener, Server } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { ConfigException, parseJson, type SecretLike, stringifyJson } from '@tributary/config'
import { type Logger, PROMETHEUS_CONTENT_TYPE, prometheusText } from '@tributary/telemetry'
import { fastify } from 'fastify'
import { advertisedHost, hostPort, isLoopback } from './bind.ts'
import type { Tls } from './tls.ts'
import { INTERNAL_TOKEN, type InternalTokens, type VerifiedRequest } from './internal-token.ts'
import { RequestSource } from './http/request-source.ts'
import { limitConnections, receiveLimits } from './http/server-limits.ts'
import type { FastifyError, FastifyInstance, FastifyRequest, FastifyServerOptions } from 'fastify'

// An import would read every property of the module, and `http.WebSocket` loads undici, which takes 12 MiB.
const { createServer } = process.getBuiltinModule('node:http')
const { createServer: createSecureServer } = process.getBuiltinModule('node:https')

export interface AdminOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly log: Logger
  /** Host under which others reach the server; null or absent: `host`. */
  readonly advertised?: string | null
  /** Signs and checks the requests between processes; null or absent: the service's own routes are open. */
  readonly tokens?: InternalTokens | null
  /** Bearer token of `GET /metrics`; null or absent, and no certificates asked of clients: it is open. */
  readonly metricsToken?: SecretLike | null
  /** Certificates with which the server answers by https; null or absent, or without a certificate of its own: http. */
  readonly tls?: Tls | null
  /** Absent: `host` is the server's only name. */
  readonly source?: RequestSource
  /** True, or the reason why the service is not ready. */
  ready(): true | string
}

const NO_NAMES = { advertised: null, allowed: '', setting: 'admin.allowed.hosts' }
/** A configuration or offsets, as the control plane sends them. */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024

/**
 * The HTTP server that every service has: `GET /health`, `/ready`, `/metrics`, and the service's own routes, which take signed
 * requests alone when the cluster has a key. Errors are `{error_code, message}`, as in Kafka Connect.
 */
export interface AdminServer {
  /** Routes may be added until `open` is called. */
  readonly app: FastifyInstance
  readonly port: number
  /** host:port at which others reach the server. */
  readonly address: string
  /** Starts answering. Until then every request gets 503. */
  open(): Promise<void>
  close(): Promise<void>
}

/**
 * Starts the server. It listens at once, because the service needs the port before it can add its routes: the port is a
 * part of the worker id. Throws ConfigException when the port is taken.
 */
export async function startAdminServer(options: AdminOptions): Promise<AdminServer> {
  let handle: RequestListener = answerStarting
  let server: Server | undefined
  const app = fastify({
    forceCloseConnections: true,
    schemaController: withoutCompilers,
    bodyLimit: BODY_LIMIT_BYTES,
    // The name of a connector in a path may be as long as a request line.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 16_384 },
    serverFactory: (handler) => {
      const answer: RequestListener = (request, response) => handle(request, response)
      server = options.tls?.serves ? secureServer(options.tls, answer) : createServer(receiveLimits(), answer)
      handle = (request, response) => (opened ? handler(request, response) : answerStarting(request, response))
      return server
    },
  })
  let opened = false
  answerErrors(app, options.log)
  let address: string | null = null
  limitConnections(app)
  requireTokens(app, options.tokens ?? null, () => address)
  refuseOtherSites(app, options.source ?? new RequestSource({ ...NO_NAMES, bound: options.host }))
  readExactly(app)
  addRoutes(app, options)
  if (!server) throw new Error('fastify made no server')
  const http = server
  const port = await listen(http, options)
  address = hostPort(advertisedHost(options.host, options.advertised ?? null), port)
  return {
    app,
    port,
    address,
    async open() {
      await app.ready()
      opened = true
    },
    async close() {
      const closed = new Promise<void>((resolve) => http.close(() => resolve()))
      http.closeAllConnections()
      await Promise.all([closed, app.close()])
    },
  }
}

const answerStarting: RequestListener = (request, response) => {
  // A connection that closes with a part of the body unread is reset, and the client may not see the answer.
  request.resume().once('end', () => {
    response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1' })
    response.end(JSON.stringify({ error_code: 503, message: 'The service is starting.' }))
  })
}

function secureServer(tls: Tls, answer: RequestListener): Server {
  const server = createSecureServer({ ...receiveLimits(), ...tls.serverOptions() }, answer)
  tls.follow(server)
  return server
}

function listen(server: Server, { host, port }: AdminOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(bindError(error, host, port)))
    server.listen({ host, port }, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address ? address.port : port)
    })
  })
}

function bindError(cause: NodeJS.ErrnoException, host: string, port: number): Error {
  const why = cause.code === 'EADDRINUSE' ? 'the port is taken; choose another one' : cause.message
  const message = `Invalid value ${port} for configuration admin.port: cannot listen on ${host}: ${why}`
  return new ConfigException(message, [{ name: 'admin.port', message }], { cause })
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The request of another process, once its token was found right; null for any other request. */
    signed: VerifiedRequest | null
  }
}

/** Routes that are open to everyone who reaches the server, or have a protection of their own. */
const OPEN_ROUTES: readonly (string | undefined)[] = ['/health', '/ready', '/metrics']

/** Refuses requests without a right token before their body is read, and those whose body is not the signed one. */
function requireTokens(app: FastifyInstance, tokens: InternalTokens | null, self: () => string | null): void {
  app.decorateRequest('signed', null)
  if (tokens === null) return
  app.addHook('onRequest', async (request, reply) => {
    if (OPEN_ROUTES.includes(request.routeOptions.url)) return
    const { method, originalUrl: path, headers } = request
    const signed = tokens.verify({ method, path }, headers[INTERNAL_TOKEN], self())
    if (typeof signed === 'string') return reply.code(403).send({ error_code: 403, message: signed })
    request.signed = signed
    if (!hasBody(request) && !signed.hasBody('')) return refuseBody(signed)
  })
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function refuseBody({ from }: VerifiedRequest): never {
  throw Object.assign(new Error(`The body is not the one that ${from} signed.`), { statusCode: 403 })
}

/** Whether another process of the cluster has proved that it sends the request. A client may have named it another host. */
export function isSigned(request: FastifyRequest): boolean {
  return request.signed !== null && request.signed !== undefined
}

/**
 * Answers 421 or 403 to requests that pages of other sites make a browser send. Call it before routes are added. `source`: a
 * function where the server has several ports.
 */
export function refuseOtherSites(
  app: FastifyInstance,
  source: RequestSource | ((request: FastifyRequest) => RequestSource),
): void {
  const sourceOf = typeof source === 'function' ? source : () => source
  app.addHook('onRequest', async (request, reply) => {
    if (isSigned(request)) return
    const refusal = sourceOf(request).refusal(request.method, request.headers)
    if (refusal === null) return
    return reply.code(refusal.status).send({ error_code: refusal.status, message: refusal.message })
  })
}

/** Parses JSON bodies so that integers above 2^53 stay exact, because offsets contain such integers. */
function readExactly(app: FastifyInstance): void {
  app.setReplySerializer((payload) => stringifyJson(payload))
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    try {
      if (request.signed?.hasBody(body) === false) refuseBody(request.signed)
      done(null, parseJson(body as string))
    } catch (error) {
      done(Object.assign(error as Error, { statusCode: (error as FastifyError).statusCode ?? 400 }))
    }
  })
}

function addRoutes(app: FastifyInstance, options: AdminOptions): void {
  const { host, tls } = options
  const mayRead = readersOf(options)
  app.get('/health', () => ({ status: 'healthy', message: tls?.trouble ?? 'The process is running.' }))
  app.get('/ready', (request, reply) => {
    const state = options.ready()
    if (state === true) return { status: 'ready' }
    // The reason names topics and members, which is nobody's business on a network.
    const message = isLoopback(host) || mayRead(request) ? state : 'The service is not ready. Its log says why.'
    return reply.code(503).send({ error_code: 503, message })
  })
  app.get('/metrics', (request, reply) => {
    if (mayRead(request)) return reply.type(PROMETHEUS_CONTENT_TYPE).send(prometheusText())
    const message = 'GET /metrics needs the bearer token of admin.metrics.token, or a client certificate.'
    return reply.code(401).header('www-authenticate', 'Bearer').send({ error_code: 401, message })
  })
}

/** Whether a request may see metrics and details: each, unless there is a token or clients are asked for certificates. */
export function readersOf({
  metricsToken = null,
  tls,
}: Pick<AdminOptions, 'metricsToken' | 'tls'>): (request: FastifyRequest) => boolean {
  const asksClients = tls?.asksClients === true
  if (metricsToken === null && !asksClients) return () => true
  return ({ headers, raw }) => {
    if (asksClients && (raw.socket as TLSSocket).authorized) return true
    const [, given] = /^bearer +(.+)$/i.exec(headers.authorization ?? '') ?? []
    return metricsToken !== null && given !== undefined && timingSafeEqual(sha256(given), sha256(metricsToken.reveal()))
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}

function refuseSchemas(): never {
  throw new Error('the routes of this server have schemas: set compilers for them')
}

/**
 * A server that brings its own compilers of schemas, or has no schemas. Without this option fastify loads ajv and
 * fast-json-stringify, 240 modules that nobody uses.
 */
export const withoutCompilers: NonNullable<FastifyServerOptions['schemaController']> = {
  compilersFactory: { buildValidator: refuseSchemas, buildSerializer: refuseSchemas },
}

/**
 * Gives a fastify server Kafka Connect's error bodies. An error that is not an HTTP error is logged and answered with
 * 500.
 */
export function answerErrors(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error: FastifyError, request, reply) => {
    const status = error.statusCode ?? 500
    if (status >= 500) log.error('request_failed', { method: request.method, path: pathOf(request.url), error })
    return reply.code(status).send({ error_code: status, message: error.message })
  })
  app.setNotFoundHandler((_request, reply) => reply.code(404).send({ error_code: 404, message: 'HTTP 404 Not Found' }))
}

/** The URL without its query, which may contain secrets that must not be logged. */
function pathOf(url: string): string {
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}
