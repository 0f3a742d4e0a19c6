import type { FastifyInstance, RouteOptions } from 'fastify'
import type { Right } from '../access/rights.ts'
import type { Listener } from './listener.ts'
import { API_PREFIX } from './operator-resource.ts'
import { type JsonSchema, METHODS, type OperationSchema } from './resource.ts'
import { ref, SCHEMAS } from './schemas.ts'

/** The parts of an OpenAPI 3.1 document that this API needs. */
export interface OpenApiDocument {
  readonly openapi: '3.1.0'
  readonly info: { readonly title: string; readonly version: string; readonly description: string }
  readonly tags: readonly { readonly name: string }[]
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
  readonly components: {
    readonly schemas: Readonly<Record<string, unknown>>
    readonly securitySchemes: Readonly<Record<string, unknown>>
  }
  /** Any one of these. */
  readonly security: readonly Security[]
}

type Security = Readonly<Record<string, readonly string[]>>

export interface OpenApiOperation {
  readonly operationId: string
  readonly tags: readonly string[]
  readonly summary: string
  readonly description?: string
  readonly deprecated?: boolean
  /** Empty: no credentials are needed. Absent: those of the document are. */
  readonly security?: readonly Security[]
  /** The right that the caller needs; see access/rights.ts. */
  readonly 'x-right': Right
  readonly parameters: readonly OpenApiParameter[]
  readonly requestBody?: { readonly required: true; readonly content: Content }
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Content }>>
}

export interface OpenApiParameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly description?: string
  readonly schema: unknown
}

type Content = Readonly<Record<string, { readonly schema: unknown }>>

/**
 * Collects the schemas of all routes that are added after this call. The returned function builds the document from
 * them.
 */
export function describeRoutes(app: FastifyInstance, version: string): (listener: Listener) => OpenApiDocument {
  /** Of both ports, and of the operators' alone. */
  const shared: Paths = {}
  const operators: Paths = {}
  app.addHook('onRoute', (route) => {
    const methods: readonly string[] = METHODS
    // HEAD routes, which Fastify adds to each GET, are left out. The routes for 405 and OPTIONS have no schema.
    if (!isDescribed(route) || typeof route.method !== 'string' || !methods.includes(route.method)) return
    const path = route.url.replace(/:(\w+)/g, '{$1}')
    const paths = route.constraints?.['listener'] === 'operators' ? operators : shared
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(route.method, path, route) }
  })
  return (listener) => {
    const paths = listener === 'operators' ? { ...shared, ...operators } : shared
    return {
      openapi: '3.1.0',
      info: { ...INFO[listener], version },
      tags: [...new Set(Object.keys(paths).map(tagOf))].map((name) => ({ name })),
      paths,
      components: {
        // All errors of the operators' port have their form.
        schemas: listener === 'operators' ? { ...SCHEMAS, Error: SCHEMAS.OperatorsError } : SCHEMAS,
        securitySchemes: SECURITY_SCHEMES,
      },
      // Without any, too: that is how it is while authentication is off.
      security: [...Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] })), {}],
    }
  }
}

type Paths = Record<string, Record<string, OpenApiOperation>>

const INFO: Readonly<Record<Listener, { readonly title: string; readonly description: string }>> = {
  connect: {
    title: "Tributary: Kafka Connect's REST API",
    description:
      'Every path of Kafka Connect 3.9, with its answers and errors; ours besides: health of a connector, /cluster, /openapi.json.',
  },
  operators: {
    title: "Tributary: the operators' API",
    description: 'Health, metrics and dead letters of the installation, and every path of the REST API.',
  },
}

const SECURITY_SCHEMES = {
  bearer: { type: 'http', scheme: 'bearer', description: 'An API key, or a token of OpenID Connect' },
  basic: { type: 'http', scheme: 'basic', description: 'A user and a password' },
  certificate: { type: 'mutualTLS', description: 'A certificate of the client' },
}

type DescribedRoute = RouteOptions & { readonly schema: OperationSchema }

function isDescribed(route: RouteOptions): route is DescribedRoute {
  return route.schema !== undefined && 'summary' in route.schema
}

function operation(method: string, path: string, { schema, config }: DescribedRoute): OpenApiOperation {
  const { summary, description, deprecated, querystring, body } = schema
  // `authorise` accepts no operation without a right.
  const right = config!.right!
  const response: OperationSchema['response'] = {
    ...schema.response,
    ...(right !== 'open' && { 401: ref('Error'), 403: ref('Error') }),
    // A write is answered with 503 when there is no leader.
    ...(config?.write === true && { 503: ref('Error') }),
  }
  return {
    operationId:
      method.toLowerCase() +
      path
        .split(/[^a-zA-Z]+/)
        .map(capitalised)
        .join(''),
    tags: [tagOf(path)],
    summary,
    ...(description !== undefined && { description }),
    ...(deprecated !== undefined && { deprecated }),
    ...(right === 'open' && { security: [] }),
    'x-right': right,
    parameters: [
      ...[...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => pathParameter(name!)),
      ...Object.entries(querystring?.properties ?? {}).map(
        ([name, { description: what, ...rest }]): OpenApiParameter => ({
          name,
          in: 'query',
          required: false,
          ...(typeof what === 'string' && { description: what }),
          schema: rest,
        }),
      ),
    ],
    ...(body !== undefined && { requestBody: { required: true, content: json(body) } }),
    responses: Object.fromEntries(
      Object.entries(response).map(([status, answer]) => [
        status,
        {
          description: STATUS_TEXTS[status] ?? status,
          ...(answer['type'] !== 'null' && { content: contentOf(status, inForm(answer, path), config?.produces) }),
        },
      ]),
    ),
  }
}

/** Below /api/v1 errors have the operators' form. Elsewhere they have it on the operators' port alone. */
function inForm(answer: JsonSchema, path: string): JsonSchema {
  return answer['$ref'] === ref('Error')['$ref'] && path.startsWith(API_PREFIX) ? ref('OperatorsError') : answer
}

const STATUS_TEXTS: Readonly<Record<string, string>> = {
  200: 'Done',
  201: 'Made; Location says where',
  202: 'Accepted',
  204: 'Done, without a body',
  400: 'A mistake in the request; the message says which',
  401: 'Credentials are missing or wrong, while authentication is on',
  403: 'The caller has not the right; the message says which',
  404: 'There is no such thing',
  409: 'The name is taken, or what runs would be disturbed',
  429: 'Too many at once: send the request again later',
  500: 'It could not be done; the message says why',
  502: 'The other side failed; the message says which, and why',
  503: 'No replica of the control plane leads at the moment, it is not known whether the change was made, or no worker answers',
  504: 'The other side did not answer in time; the message says which',
}

function pathParameter(name: string): OpenApiParameter {
  return { name, in: 'path', required: true, schema: { type: name === 'task' ? 'integer' : 'string' } }
}

function contentOf(status: string, schema: unknown, produces = 'application/json'): Content {
  return Number(status) < 300 ? { [produces]: { schema } } : json(schema)
}

function json(schema: unknown): Content {
  return { 'application/json': { schema } }
}

function tagOf(path: string): string {
  return path.split('/')[1] || 'server'
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
