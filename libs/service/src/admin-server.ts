import type { RequestListener, Server } from 'node:http'
import { ConfigException, parseJson } from '@tributary/config'
import { type Logger, PROMETHEUS_CONTENT_TYPE, prometheusText } from '@tributary/telemetry'
import { fastify } from 'fastify'
import { RequestSource } from './http/request-source.ts'
import { limitConnections, receiveLimits } from './http/server-limits.ts'
import type { FastifyError, FastifyInstance, FastifyRequest, FastifyServerOptions } from 'fastify'

// An import would read every property of the module, and `http.WebSocket` loads undici, which takes 12 MiB.
const { createServer } = process.getBuiltinModule('node:http')

export interface AdminOptions {
  readonly host: string
  /** 0: any free port. */
  readonly port: number
  readonly log: Logger
  /** Absent: `host` is the server's only name. */
  readonly source?: RequestSource
  /** True, or the reason why the service is not ready. */
  ready(): true | string
}

const NO_NAMES = { advertised: null, allowed: '', setting: 'admin.allowed.hosts' }
/** A configuration or offsets, as the control plane sends them. */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024

/**
 * The HTTP server that every service has: `GET /health`, `/ready`, `/metrics`, and the service's own routes. Errors are
 * `{error_code, message}`, as in Kafka Connect.
 */
export interface AdminServer {
  /** Routes may be added until `open` is called. */
  readonly app: FastifyInstance
  readonly port: number
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
      server = createServer(receiveLimits(), (request, response) => handle(request, response))
      handle = (request, response) => (opened ? handler(request, response) : answerStarting(request, response))
      return server
    },
  })
  let opened = false
  answerErrors(app, options.log)
  limitConnections(app)
  refuseOtherSites(app, options.source ?? new RequestSource({ ...NO_NAMES, bound: options.host }))
  readExactly(app)
  addRoutes(app, options)
  if (!server) throw new Error('fastify made no server')
  const http = server
  const port = await listen(http, options)
  return {
    app,
    port,
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

const answerStarting: RequestListener = (_request, response) => {
  response.writeHead(503, { 'content-type': 'application/json', 'retry-after': '1' })
  response.end(JSON.stringify({ error_code: 503, message: 'The service is starting.' }))
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

/** Whether another process of the cluster has proved that it sends the request. A client may have named it another host. */
export function isSigned(request: FastifyRequest): boolean {
  return ((request as { signed?: unknown }).signed ?? null) !== null
}

/** Answers 421 or 403 to requests that pages of other sites make a browser send. Call it before routes are added. */
export function refuseOtherSites(app: FastifyInstance, source: RequestSource): void {
  app.addHook('onRequest', async (request, reply) => {
    if (isSigned(request)) return
    const refusal = source.refusal(request.method, request.headers)
    if (refusal === null) return
    return reply.code(refusal.status).send({ error_code: refusal.status, message: refusal.message })
  })
}

/** Parses JSON bodies so that integers above 2^53 stay exact, because offsets contain such integers. */
function readExactly(app: FastifyInstance): void {
  app.removeContentTypeParser('application/json')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    try {
      done(null, parseJson(body as string))
    } catch (error) {
      done(Object.assign(error as Error, { statusCode: 400 }))
    }
  })
}

function addRoutes(app: FastifyInstance, options: AdminOptions): void {
  app.get('/health', () => ({ status: 'healthy', message: 'The process is running.' }))
  app.get('/ready', (_request, reply) => {
    const state = options.ready()
    return state === true ? { status: 'ready' } : reply.code(503).send({ error_code: 503, message: state })
  })
  app.get('/metrics', (_request, reply) => reply.type(PROMETHEUS_CONTENT_TYPE).send(prometheusText()))
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
