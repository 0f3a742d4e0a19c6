import { stringifyJson } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { parseBody } from './body.ts'
import { allowOrigins, type CrossOrigin } from './cors.ts'
import { answerErrors, answerUnparsed, errorBody, httpError } from './error-handler.ts'
import { restError } from './rest-errors.ts'

const MIB = 1024 * 1024

export interface RestServerOptions {
  readonly log: Logger
  /** A request that takes longer is answered with 500, in ms; what it began may still happen. */
  readonly requestTimeoutMs: number
  readonly crossOrigin: CrossOrigin
}

/** The HTTP server with Connect's habits; `routes/` gives it its resources. */
export function createRestServer({ log, requestTimeoutMs, crossOrigin }: RestServerOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: 4 * MIB,
    // What comes on an open connection while the server closes is answered, and that connection closed.
    return503OnClosing: false,
    // Connector names may be as long as a request line; fastify's own bound is 100 characters.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 16_384 },
    clientErrorHandler: answerUnparsed,
    rewriteUrl: ({ url }) => withoutMatrixParameters(url ?? '/'),
    frameworkErrors: (error, _request, reply) => {
      // A path that cannot be decoded (`/connectors/%zz`) gets no further than here.
      const answer = httpError(error.statusCode ?? 400)
      void (reply as FastifyReply).code(answer.status).send(errorBody(answer))
    },
  })
  app.removeAllContentTypeParsers()
  app.decorateRequest('rawBody', '')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, async (request: FastifyRequest, body: string) => {
    request.rawBody = body
    // What takes no body does not look at one, as in JAX-RS; many clients send `{}` with everything.
    const { schema, config } = request.routeOptions
    return schema?.body === undefined ? null : parseBody(body, config.numbers)
  })
  // Route schemas are documentation: bodies are judged by hand, with Connect's texts, and answers are written as they are.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => stringifyJson)
  app.setReplySerializer((payload) => stringifyJson(payload))
  app.addHook('onSend', async (_request, reply) => {
    // Connect's answers name no charset, and some clients compare the header as a whole.
    if (reply.getHeader('content-type') === 'application/json; charset=utf-8') reply.type('application/json')
  })
  allowOrigins(app, crossOrigin)
  limitTime(app, requestTimeoutMs)
  answerErrors(app, log)
  return app
}

/** Not fastify's `handlerTimeout`: that one ends with the arrival of the body, and never came for a request that has one. */
function limitTime(app: FastifyInstance, timeoutMs: number): void {
  app.addHook('onRequest', async (_request, reply) => {
    const timer = setTimeout(() => {
      if (!reply.sent) void reply.send(restError('timedOut'))
    }, timeoutMs)
    timer.unref()
    for (const event of ['finish', 'close']) reply.raw.once(event, () => clearTimeout(timer))
  })
}

/** JAX-RS takes `;name=value` out of each segment of a path; a semicolon of a name comes as `%3B`. */
function withoutMatrixParameters(url: string): string {
  const query = url.indexOf('?')
  const path = query < 0 ? url : url.slice(0, query)
  return path.includes(';') ? path.replace(/;[^/]*/g, '') + (query < 0 ? '' : url.slice(query)) : url
}
