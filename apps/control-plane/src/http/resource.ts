import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  FastifySchema,
  HTTPMethods,
  RouteGenericInterface,
} from 'fastify'
import type { Right } from '../access/rights.ts'
import { httpError } from './error-body.ts'
import type { Listener } from './listener.ts'

export const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const
export type Method = (typeof METHODS)[number]

export interface Route extends RouteGenericInterface {
  Params: Record<string, string>
  Querystring: Record<string, string | string[] | undefined>
}
export type Handler = (request: FastifyRequest<Route>, reply: FastifyReply) => unknown

/** A JSON Schema (draft 2020-12). `#/components/schemas/…` refers to the schemas of http/schemas.ts. */
export type JsonSchema = Readonly<Record<string, unknown>>

/**
 * The parameters, body and answers of a method, in the format of Fastify's route schemas. `/openapi.json` is built from
 * them. They validate nothing, because mistakes are answered with Kafka Connect's texts.
 */
export interface OperationSchema extends FastifySchema {
  /** One line of text. */
  readonly summary: string
  readonly description?: string
  readonly deprecated?: boolean
  readonly querystring?: { readonly type: 'object'; readonly properties: Readonly<Record<string, JsonSchema>> }
  readonly body?: JsonSchema
  /** The schema of the answer by status. `{ type: 'null' }` means that the answer has no body. */
  readonly response: Readonly<Record<number, JsonSchema>>
}

/** One method of a resource. */
export interface Operation {
  readonly right: Right
  /**
   * The connector that the body or the query names, which needs the right; null for none. Absent: the path names the
   * connector, or there is none. Throws what the handler would throw for a body that is wrong.
   */
  readonly connectorOf?: (request: FastifyRequest<Route>) => string | null
  readonly schema: OperationSchema
  readonly handler: Handler
  /** The media type of the answer, if it is not JSON. A client that accepts JSON alone gets it, too. */
  readonly produces?: string
  /** True for a method other than GET that changes nothing. */
  readonly readOnly?: boolean
  /** True for a method that changes nothing, and is recorded like a change. */
  readonly audited?: boolean
  /**
   * How the handler gets the numbers of the body: as their source text (default), because Connect stores configurations
   * so, or as numbers.
   */
  readonly numbers?: 'text' | 'value'
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Copied from the Operation, like the next two. null: every caller with credentials. */
    right?: Right | null
    connectorOf?: (request: FastifyRequest<Route>) => string | null
    numbers?: 'text' | 'value'
    /** True for a change. Only the leader of the control plane carries changes out. */
    write?: boolean
    /** True for what changes nothing, and is recorded like a change. */
    audited?: boolean
    produces?: string
  }
  interface FastifyRequest {
    /** The unparsed body, for sending the request on; '' without a body. */
    rawBody: string
  }
}

export interface ResourceOptions {
  /** The only port that has the resource. Absent: both. */
  readonly listener?: Listener
  /** Whether bodies are read as JSON whatever their `Content-Type` says. */
  readonly anyContentType?: boolean
}

/**
 * Adds one resource: its path and its methods. The function also adds what Connect's HTTP layer (JAX-RS) does for each
 * resource, in JAX-RS's order: 405 for the other methods, 415 for another content type, 406 for a client that does not
 * accept JSON, and OPTIONS.
 */
export function resource(
  app: FastifyInstance,
  url: string,
  operations: Partial<Record<Method, Operation>>,
  { listener, anyContentType = false }: ResourceOptions = {},
): void {
  const constraints = listener === undefined ? {} : { listener }
  const checkType = anyContentType ? takeAsJson : requireJson
  const present = METHODS.filter((method) => operations[method])
  for (const method of present) {
    const operation = operations[method]!
    const { right, connectorOf, schema, handler, numbers = 'text', readOnly = method === 'GET' } = operation
    const { audited, produces } = operation
    const config = {
      right,
      ...(connectorOf && { connectorOf }),
      numbers,
      write: !readOnly,
      ...(audited && { audited }),
      ...(produces !== undefined && { produces }),
    }
    const onRequest = [requireNames, checkType, requireAccept]
    app.route<Route>({ method, url, constraints, schema, config, onRequest, handler })
  }
  const absent: HTTPMethods[] = ['TRACE', ...METHODS.filter((method) => !operations[method])]
  if (!operations.GET) absent.push('HEAD')
  const config = { right: null }
  const onRequest = [requireNames, rejectMethod]
  app.route<Route>({ method: absent, url, constraints, config, onRequest, handler: rejectMethod })
  const allow = [...(operations.GET ? ['HEAD'] : []), ...present, 'OPTIONS'].join(',')
  const handler: Handler = (_request, reply) => reply.header('allow', allow).send()
  app.route<Route>({ method: 'OPTIONS', url, constraints, config, handler })
}

/** The value of a query parameter. Of a repeated parameter the last value counts. */
export function queryValue(request: FastifyRequest<Route>, name: string): string | undefined {
  const value = request.query[name]
  return Array.isArray(value) ? value.at(-1) : value
}

/** Parses a flag like Java's Boolean.parseBoolean: anything but `true` is false. */
export function queryFlag(request: FastifyRequest<Route>, name: string): boolean {
  return queryValue(request, name)?.toLowerCase() === 'true'
}

/** A path parameter that must be a 32-bit integer. Throws 404 for anything else, because no such path exists. */
export function intParam(request: FastifyRequest<Route>, name: string): number {
  const text = request.params[name] ?? ''
  const value = /^[-+]?\d+$/.test(text) ? Number(text) : NaN
  if (value !== (value | 0)) throw httpError(404)
  return value
}

/** Answers 404 for a path with an empty name, such as `/connectors//config`, which JAX-RS does not match. */
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

async function takeAsJson({ raw }: FastifyRequest): Promise<void> {
  raw.headers['content-type'] = 'application/json'
}

async function requireAccept(request: FastifyRequest): Promise<void> {
  const { accept } = request.headers
  if (accept === undefined || accept.trim() === '') return
  const { produces } = request.routeOptions.config
  const types = [...rangesOf('application/json'), ...(produces === undefined ? [] : rangesOf(produces))]
  if (!accept.split(',').some((range) => types.includes(mediaType(range)))) throw httpError(406)
}

/** The media ranges of an Accept header that include a type. Like Jersey, a range of quality 0 counts as accepted. */
function rangesOf(type: string): string[] {
  return [type, `${type.split('/')[0]}/*`, '*/*']
}

function mediaType(header: string): string {
  return header.split(';', 1)[0]!.trim().toLowerCase()
}

/**
 * The `Location` of a new connector: an absolute URL, percent-encoded like JAX-RS. JAX-RS leaves `/`, `+`, `&` and
 * every text that already looks encoded (`%25`) unchanged.
 */
export function connectorLocation(request: FastifyRequest, connector: string): string {
  const path = encodeURI(connector.toWellFormed())
    .replaceAll('?', '%3F')
    .replaceAll('#', '%23')
    .replace(/%25([0-9a-f]{2})/gi, '%$1')
  return `${request.protocol}://${request.host}/connectors/${path}`
}
