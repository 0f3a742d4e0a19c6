import type { FastifyInstance } from 'fastify'
import type { OpenApiDocument } from '../http/openapi.ts'
import { openApiPage } from '../http/openapi-page.ts'
import { resource } from '../http/resource.ts'
import { answers } from '../http/schemas.ts'

/** `/openapi.json`: this API as data, from the schemas of its routes. `/openapi`: the same as a page. */
export function openApiRoutes(app: FastifyInstance, describe: () => OpenApiDocument): void {
  let document: OpenApiDocument | null = null
  const described = (): OpenApiDocument => (document ??= describe())

  resource(app, '/openapi.json', {
    GET: {
      right: 'open',
      schema: { summary: 'This document', response: answers({ 200: { type: 'object' } }) },
      handler: described,
    },
  })

  app.get('/openapi', { config: { right: 'open' } }, (_request, reply) =>
    reply
      .header('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'")
      .type('text/html; charset=utf-8')
      .serializer((page: string) => page)
      .send(openApiPage(described())),
  )
}
