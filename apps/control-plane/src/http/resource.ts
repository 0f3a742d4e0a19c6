import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods, RouteGenericInterface } from 'fastify'
import { httpError } from './error-handler.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export type Method = (typeof METHODS)[number]

export interface Route extends RouteGenericInterface {
  Params: Record<string, string>
  Querystring: Record<string, string | string[] | undefined>
}
export type Handler = (request: FastifyRequest<Route>, reply: FastifyReply) => unknown

/**
 * One resource: its path and what its methods do. The rest is what Connect's HTTP layer (JAX-RS) does by itself, in
 * its order: 405 for the other methods, 415 for another content type, 406 for a client that takes no JSON, and OPTIONS.
 */
export function resource(app: FastifyInstance, url: string, handlers: Partial<Record<Method, Handler>>): void {
  const present = METHODS.filter((method) => handlers[method])
  for (const method of present) {
    app.route<Route>({ method, url, onRequest: [requireJson, requireAccept], handler: handlers[method]! })
  }
  const absent: HTTPMethods[] = METHODS.filter((method) => !handlers[method])
  if (!handlers.GET) absent.push('HEAD')
  app.route({ method: absent, url, onRequest: rejectMethod, handler: rejectMethod })
  const allow = [...(handlers.GET ? ['HEAD'] : []), ...present, 'OPTIONS'].join(',')
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
  const value = /^-?\d{1,10}$/.test(text) ? Number(text) : NaN
  if (value !== (value | 0)) throw httpError(404)
  return value
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

function takesJson(range: string): boolean {
  if (!['application/json', 'application/*', '*/*'].includes(mediaType(range))) return false
  const quality = /;\s*q=([\d.]+)/i.exec(range)?.[1]
  return quality === undefined || Number(quality) > 0
}

function mediaType(header: string): string {
  return header.split(';', 1)[0]!.trim().toLowerCase()
}
