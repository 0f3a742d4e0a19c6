import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifySchema,
  HTTPMethods,
  RouteGenericInterface,
} from 'fastify'
import { httpError } from './error-handler.ts'

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export type Method = (typeof METHODS)[number]

export interface Route extends RouteGenericInterface {
  Params: Record<string, string>
  Querystring: Record<string, string | string[] | undefined>
}
export type Handler = (request: FastifyRequest<Route>, reply: FastifyReply) => unknown

/** A JSON Schema (draft 2020-12); `#/components/schemas/…` refers to those of http/schemas.ts. */
export type JsonSchema = Readonly<Record<string, unknown>>

/**
 * What a method takes and answers, in the words of Fastify's route schemas: the source of `/openapi.json`. It judges
 * nothing, as mistakes are answered with the texts of Kafka Connect.
 */
export interface OperationSchema extends FastifySchema {
  /** One line. */
  readonly summary: string
  readonly description?: string
  readonly deprecated?: boolean
  readonly querystring?: { readonly type: 'object'; readonly properties: Readonly<Record<string, JsonSchema>> }
  readonly body?: JsonSchema
  /** By status; `{ type: 'null' }` where there is no body. */
  readonly response: Readonly<Record<number, JsonSchema>>
}

/** One method of a resource. */
export interface Operation {
  readonly schema: OperationSchema
  readonly handler: Handler
  /** It changes nothing although its method is not GET. */
  readonly readOnly?: boolean
  /** How numbers of its body come: as their source text (default), as Connect stores them in configurations, or as numbers. */
  readonly numbers?: 'text' | 'value'
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Of Operation. */
    numbers?: 'text' | 'value'
    /** It changes something, which only the leader of the control plane does. */
    write?: boolean
  }
  interface FastifyRequest {
    /** The body as it came, to be sent on; '' when there is none. */
    rawBody: string
  }
}

/**
 * One resource: its path and what its methods do. The rest is what Connect's HTTP layer (JAX-RS) does by itself, in
 * its order: 405 for the other methods, 415 for another content type, 406 for a client that takes no JSON, and OPTIONS.
 */
export function resource(app: FastifyInstance, url: string, operations: Partial<Record<Method, Operation>>): void {
  const present = METHODS.filter((method) => operations[method])
  for (const method of present) {
    const { schema, handler, numbers = 'text', readOnly = method === 'GET' } = operations[method]!
    const config = { numbers, write: !readOnly }
    app.route<Route>({ method, url, schema, config, onRequest: [requireNames, requireJson, requireAccept], handler })
  }
  const absent: HTTPMethods[] = ['TRACE', ...METHODS.filter((method) => !operations[method])]
  if (!operations.GET) absent.push('HEAD')
  app.route<Route>({ method: absent, url, onRequest: [requireNames, rejectMethod], handler: rejectMethod })
  const allow = [...(operations.GET ? ['HEAD'] : []), ...present, 'OPTIONS'].join(',')
  app.route({ method: 'OPTIONS', url, handler: (_request, reply) => reply.header('allow', allow).send() })
}

/** The value of a query parameter that stands once; the last one where it is repeated. */
export function queryValue(request: FastifyRequest<Route>, name: string): string | undefined {
  const value = request.query[name]
  return Array.isArray(value) ? value.at(-1) : value
}

/** As Java parses it: anything but `true` is false. */
export function queryFlag(request: FastifyRequest<Route>, name: string): boolean {
  return queryValue(request, name)?.toLowerCase() === 'true'
}

/** A path parameter that is a 32-bit integer; anything else is no such path (404). */
export function intParam(request: FastifyRequest<Route>, name: string): number {
  const text = request.params[name] ?? ''
  const value = /^[-+]?\d+$/.test(text) ? Number(text) : NaN
  if (value !== (value | 0)) throw httpError(404)
  return value
}

/** JAX-RS matches no path with an empty name, `/connectors//config`. */
async function requireNames(request: FastifyRequest<Route>): Promise<void> {
  if (Object.values(request.params).includes('')) throw httpError(404)
}

async function rejectMethod(): Promise<never> {
  throw httpError(405)
}

async function requireJson(request: FastifyRequest): Promise<void> {
  const type = request.headers['content-type']
  if (type !== undefined && mediaType(type) !== 'application/json') throw httpError(415)
}

async function requireAccept(request: FastifyRequest): Promise<void> {
  const { accept } = request.headers
  if (accept !== undefined && accept.trim() !== '' && !accept.split(',').some(takesJson)) throw httpError(406)
}

/** As Jersey does it, which serves a range of quality 0 too. */
function takesJson(range: string): boolean {
  return ['application/json', 'application/*', '*/*'].includes(mediaType(range))
}

function mediaType(header: string): string {
  return header.split(';', 1)[0]!.trim().toLowerCase()
}
