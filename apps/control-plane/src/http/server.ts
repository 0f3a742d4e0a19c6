import { stringifyJson } from '@tributary/config'
import type { Logger } from '@tributary/telemetry'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { parseBody } from './body.ts'
import { answerErrors, errorBody, httpError } from './error-handler.ts'

const MIB = 1024 * 1024

export interface RestServerOptions {
  readonly log: Logger
  /** A request that takes longer is answered with 500, in ms; what it began may still happen. */
  readonly requestTimeoutMs: number
}

/** The HTTP server with Connect's habits; `routes/` gives it its resources. */
export function createRestServer({ log, requestTimeoutMs }: RestServerOptions): FastifyInstance {
  const app = fastify({
    bodyLimit: 4 * MIB,
    handlerTimeout: requestTimeoutMs,
    // Connector names may be as long as a request line; fastify's own bound is 100 characters.
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: 16_384 },
    frameworkErrors: (error, _request, reply) => {
      // A path that cannot be decoded (`/connectors/%zz`) gets no further than here.
      const answer = httpError(error.statusCode ?? 400)
      void (reply as FastifyReply).code(answer.status).send(errorBody(answer))
    },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, async (_request: FastifyRequest, body: string) =>
    parseBody(body),
  )
  app.setReplySerializer((payload) => stringifyJson(payload))
  app.addHook('onSend', async (_request, reply) => {
    // Connect's answers name no charset, and some clients compare the header as a whole.
    if (reply.getHeader('content-type') === 'application/json; charset=utf-8') reply.type('application/json')
  })
  answerErrors(app, log)
  return app
}
