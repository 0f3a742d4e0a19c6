import { stringifyJson } from '@tributary/config'
import { limitConnections, receiveLimits, type ReceiveTimeouts, type Tls, withoutCompilers } from '@tributary/service'
import type { Logger } from '@tributary/telemetry'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { randomUUID } from 'node:crypto'
import type { Server as SecureServer } from 'node:https'
import { parseBody } from './body.ts'
import { allowOrigins, type CrossOrigin } from './cors.ts'
import { errorBody, httpError } from './error-body.ts'
import { answerErrors, answerUnparsed } from './error-handler.ts'
import { answersOperators, listenerConstraint } from './listener.ts'
import { answerInForm, sentRequestId } from './operators-form.ts'
import { restError } from './rest-errors.ts'
import { proxiesOf } from './trusted-proxies.ts'

/** Kafka takes records of 1 MiB by default, and a configuration is one record. */
const BODY_LIMIT_BYTES = 2 * 1024 * 1024

/** A client that takes no byte of its answer for so long, in ms, reads no answer. */
const ANSWER_SENT_MS = 30_000

/** How long a connection may stand still on which an answer may still be sent. */
export function idleMs(requestTimeoutMs: number): number {
  return requestTimeoutMs + ANSWER_SENT_MS
}

export interface RestServerOptions {
  readonly log: Logger
  /** After this time, in ms, a request is answered with 500. The work that the request began may still complete. */
  readonly requestTimeoutMs: number
  readonly crossOrigin: CrossOrigin
  /** Absent, null, or without a certificate of its own: the server answers by http. */
  readonly tls?: Tls | null
  /** Addresses of proxies whose X-Forwarded-For is believed, as CIDR, separated by commas. */
  readonly trustedProxies?: string
  readonly receive?: ReceiveTimeouts
}

/** Creates the HTTP server with the habits of Connect's HTTP layer. `routes/` adds the resources. */
export function createRestServer(options: RestServerOptions): FastifyInstance {
  const { log, requestTimeoutMs, crossOrigin, trustedProxies = '', receive, tls } = options
  const { requestTimeout, ...http } = receiveLimits(receive)
  const app = fastify({
    genReqId: () => randomUUID(),
    // Fastify has a type of its own for a server with https, which differs in nothing that is used here.
    ...(tls?.serves ? { https: { ...http, ...tls.serverOptions() } as unknown as null } : { http }),
    requestTimeout,
    trustProxy: proxiesOf(trustedProxies),
    bodyLimit: BODY_LIMIT_BYTES,
    schemaController: withoutCompilers,
    // While the server closes, a request on an open connection is still answered. Then its connection is closed.
    return503OnClosing: false,
    // A connector name may be as long as a request line. Fastify's default limit is 100 characters.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 16_384, constraints: { listener: listenerConstraint } },
    clientErrorHandler: (error, socket) => answerUnparsed(error, socket),
    rewriteUrl: ({ url }) => withoutMatrixParameters(url ?? '/'),
    frameworkErrors: (error, request, reply) => {
      // Fastify calls this function for a path that cannot be decoded (`/connectors/%zz`); no other handler sees the
      // request.
      const answer = httpError(error.statusCode ?? 400)
      const form = { operators: answersOperators(request), shownId: sentRequestId(request.headers) ?? request.id }
      if (form.operators) reply.header('x-request-id', form.shownId)
      void (reply as FastifyReply).code(answer.status).send(errorBody(answer, form))
    },
  })
  if (tls?.serves) tls.follow(app.server as unknown as SecureServer)
  app.removeAllContentTypeParsers()
  app.decorateRequest('rawBody', '')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, async (request: FastifyRequest, body: string) => {
    request.rawBody = body
    // A method that takes no body ignores the body, as in JAX-RS. Many clients send `{}` with every request.
    const { schema, config } = request.routeOptions
    return schema?.body === undefined ? null : parseBody(body, config.numbers)
  })
  // Route schemas are documentation only. Handlers validate bodies themselves, with Connect's texts, and write answers
  // unchanged.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => stringifyJson)
  app.setReplySerializer((payload) => stringifyJson(payload))
  app.addHook('onSend', async (_request, reply) => {
    // Connect's answers name no charset, and some clients compare the whole header.
    if (reply.getHeader('content-type') === 'application/json; charset=utf-8') reply.type('application/json')
  })
  answerInForm(app)
  limitConnections(app, { idleMs: idleMs(requestTimeoutMs) })
  allowOrigins(app, crossOrigin)
  limitTime(app, requestTimeoutMs)
  answerErrors(app, log)
  return app
}

/**
 * Limits the time of each request. Fastify's own `handlerTimeout` is no use here: it stops when the body has arrived,
 * so it never fired for a request with a body.
 */
function limitTime(app: FastifyInstance, timeoutMs: number): void {
  app.addHook('onRequest', async (_request, reply) => {
    const timer = setTimeout(() => {
      // What is sent piece by piece is not answered twice.
      if (!reply.sent && !reply.raw.headersSent) void reply.send(restError('timedOut'))
    }, timeoutMs)
    timer.unref()
    for (const event of ['finish', 'close']) reply.raw.once(event, () => clearTimeout(timer))
  })
}

/**
 * Removes matrix parameters (`;name=value`) from each path segment, as JAX-RS does. A semicolon in a name arrives as
 * `%3B`.
 */
function withoutMatrixParameters(url: string): string {
  const query = url.indexOf('?')
  const path = query < 0 ? url : url.slice(0, query)
  return path.includes(';') ? path.replace(/;[^/]*/g, '') + (query < 0 ? '' : url.slice(query)) : url
}
