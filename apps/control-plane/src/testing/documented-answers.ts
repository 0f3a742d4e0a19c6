import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import assert from 'node:assert/strict'
import type { OpenApiDocument } from '../http/openapi.ts'

/** Checks an answer against the documented answer of its route and status. Throws AssertionError. */
export type CheckAnswer = (answer: {
  readonly method: string
  /** Path and query. */
  readonly url: string
  readonly status: number
  /** The parsed body; undefined for an empty one. */
  readonly body: unknown
}) => void

/** Statuses that the HTTP layer, authentication included, may answer to any request, documented or not. */
const ANY_ROUTE = [400, 401, 403, 404, 405, 406, 408, 413, 415, 421, 429, 431, 503]

/** Of requests that the parser of HTTP refuses. */
const UNPARSED = [400, 408, 431]
const form = (name: string): object => ({ $ref: `#/components/schemas/${name}` })

/** One check for each document, because compiling the schemas takes longer than most tests. */
const CHECKS = new Map<string, CheckAnswer>()

/** `document` is the text of an OpenAPI document. */
export function documentedAnswers(document: string): CheckAnswer {
  const check = CHECKS.get(document) ?? answerCheck(JSON.parse(document) as OpenApiDocument)
  CHECKS.set(document, check)
  return check
}

function answerCheck({ paths, components }: OpenApiDocument): CheckAnswer {
  const ajv = new Ajv2020({ strict: false, schemas: [{ $id: 'api', components }] })
  const compiled = new Map<string, ValidateFunction>()
  const validate = (schema: unknown, body: unknown, what: string): void => {
    const key = JSON.stringify(schema)
    const check =
      compiled.get(key) ?? ajv.compile(JSON.parse(key.replaceAll('"#/components', '"api#/components')) as object)
    compiled.set(key, check)
    assert.ok(check(body), `${what}: ${ajv.errorsText(check.errors)}\n${JSON.stringify(body)}`)
  }
  const templates = Object.keys(paths).map((path) => ({
    path,
    pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+').replace('.', '\\.')}/?$`),
  }))
  return ({ method, url, status, body }) => {
    if (method === 'HEAD' || method === 'OPTIONS') return
    const [path = ''] = url.replace(/;[^/?]*/g, '').split('?')
    const route = templates.find(({ pattern }) => pattern.test(path))?.path
    const documented = paths[route ?? '']?.[method.toLowerCase()]?.responses[status]
    const what = `${method} ${route ?? url} ${status}`
    const content = documented?.content?.['application/json']
    // A request that the parser of HTTP refuses has no path yet, and so Connect's form.
    const unparsed = /^\/api\/v1(?:\/|$)/.test(path) && UNPARSED.includes(status) ? [form('Error')] : []
    if (content) return validate({ anyOf: [content.schema, ...unparsed] }, body, what)
    // A stream of events is read by its own tests.
    if (documented?.content) return
    if (documented) return assert.equal(body, undefined, `${what} is documented to have no body`)
    assert.ok(ANY_ROUTE.includes(status), `${what} is not documented`)
    const forms = /^\/api\/v1(?:\/|$)/.test(path) ? ['OperatorsError', 'Error'] : ['Error']
    validate({ anyOf: forms.map(form) }, body, what)
  }
}
