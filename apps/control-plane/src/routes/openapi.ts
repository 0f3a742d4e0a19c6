import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type Listener, listenerOf } from '../http/listener.ts'
import type { OpenApiDocument } from '../http/openapi.ts'
import { openApiPage } from '../http/openapi-page.ts'
import { resource } from '../http/resource.ts'
import { answers } from '../http/schemas.ts'

/** `/openapi.json`: this API as data, from the schemas of its routes. `/openapi`: the same as a page. */
export function openApiRoutes(app: FastifyInstance, describe: (listener: Listener) => OpenApiDocument): void {
  const documents = new Map<Listener, OpenApiDocument>()
  const described = ({ raw }: FastifyRequest): OpenApiDocument => {
    const listener = listenerOf(raw)
    const document = documents.get(listener) ?? describe(listener)
    documents.set(listener, document)
    return document
  }

  resource(app, '/openapi.json', {
    GET: {
      right: 'open',
      schema: { summary: 'This document', response: answers({ 200: { type: 'object' } }) },
      handler: described,
    },
  })

  app.get('/openapi', { config: { right: 'open' } }, (request, reply) =>
    reply
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'")
      .type('text/html; charset=utf-8')
      .serializer((page: string) => page)
      .send(openApiPage(described(request))),
  )
}
