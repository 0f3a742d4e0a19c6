import { Validator } from '@seriousme/openapi-schema-validator'
import assert from 'node:assert/strict'
import test from 'node:test'
import type { OpenApiDocument } from '../http/openapi.ts'
import { testApi } from '../testing/test-api.ts'

/** Every route as `GET /path/{parameter}`. */
const ROUTES = [
  ...['GET /', 'GET /health', 'GET /openapi.json'],
  ...['GET /connectors', 'POST /connectors'],
  ...[
    '',
    ...['/config', '/config/diff', '/config/history', '/config/history/{version}'],
    '/health',
    '/offsets',
    '/status',
    '/tail',
    '/tasks',
    '/tasks-config',
    '/tasks/{task}/status',
    '/topics',
  ].map((path) => `GET /connectors/{connector}${path}`),
  ...['/config', '/pause', '/resume', '/stop', '/topics/reset'].map((path) => `PUT /connectors/{connector}${path}`),
  ...['/config/rollback', '/restart', '/tasks/{task}/restart'].map((path) => `POST /connectors/{connector}${path}`),
  ...['/config', '/offsets'].map((path) => `PATCH /connectors/{connector}${path}`),
  ...['', '/offsets'].map((path) => `DELETE /connectors/{connector}${path}`),
  ...['GET /connector-plugins', 'GET /connector-plugins/{plugin}/config'],
  'PUT /connector-plugins/{plugin}/config/validate',
  ...['POST /connectors/{connector}/preview', 'POST /connector-plugins/{plugin}/preview'],
  ...['GET /admin/loggers', 'GET /admin/loggers/{logger}', 'PUT /admin/loggers/{logger}'],
  'GET /audit',
  ...[
    ...['GET /dlq/records', 'GET /dlq/records/{letter}', 'GET /dlq/stats'],
    ...['POST /dlq/discard', 'POST /dlq/annotate', 'POST /dlq/reopen', 'GET /dlq/replay', 'POST /dlq/replay'],
    ...['GET /dlq/replay/{replay}', 'DELETE /dlq/replay/{replay}', 'POST /dlq/replay/{replay}/cancel'],
  ].flatMap((route) => [route, route.replace(' /', ' /api/v1/')]),
  ...['GET /admin/keys', 'POST /admin/keys', 'DELETE /admin/keys/{key}'],
  ...['GET /cluster', 'PUT /cluster/connectors/pause', 'PUT /cluster/connectors/resume'],
]

/** Of the operators' port alone. */
const OPERATORS = [
  '/health/{component}',
  '/metrics',
  '/api/v1/health',
  '/api/v1/health/{component}',
  '/api/v1/metrics',
].map((path) => `GET ${path}`)

test("the operators' port has a document of its own, with its paths and its form of errors", async () => {
  const { call, operators } = testApi()
  const document = (await operators('GET', '/openapi.json')).body as OpenApiDocument
  const { valid, errors } = await new Validator().validate(
    structuredClone(document) as unknown as Record<string, unknown>,
  )
  assert.ok(valid, JSON.stringify(errors))
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  assert.deepEqual(routes.sort(), [...ROUTES, ...OPERATORS].sort())
  assert.deepEqual(document.components.schemas['Error'], document.components.schemas['OperatorsError'])
  for (const route of OPERATORS) {
    assert.equal((await call('GET', route.split(' ')[1]!)).status, 404)
  }
})

const read = async (): Promise<OpenApiDocument> =>
  (await testApi().call('GET', '/openapi.json')).body as OpenApiDocument

test('the document is valid OpenAPI, and every reference leads somewhere', async () => {
  const document = await read()
  const validator = new Validator()
  const { valid, errors } = await validator.validate(structuredClone(document) as unknown as Record<string, unknown>)
  assert.ok(valid, JSON.stringify(errors))
  assert.equal(validator.version, '3.1')
  const names = JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)
  for (const [, name] of names) assert.ok(document.components.schemas[name!], name)
})

test('every route is in the document, with its parameters and answers', async () => {
  const { paths } = await read()
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, ...operation })),
  )
  assert.deepEqual(operations.map(({ route }) => route).sort(), ROUTES.toSorted())
  assert.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length)
  for (const { route, summary, parameters, responses } of operations) {
    assert.ok(summary.length > 0, route)
    const inPath = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`)
    assert.deepEqual(inPath, route.match(/\{\w+\}/g) ?? [], route)
    assert.ok(
      Object.keys(responses).some((status) => status.startsWith('2')),
      route,
    )
  }
})

test('every documented route exists', async () => {
  const { call } = testApi()
  for (const route of ROUTES) {
    const [method = '', path = ''] = route.split(' ')
    const answer = await call(method, path.replace('{task}', '0').replace(/\{\w+\}/g, 'x'))
    const { message = '' } = (answer.body ?? {}) as { message?: string }
    assert.doesNotMatch(message, /^HTTP 40[45]/, route)
  }
})

test('the page shows every route, loads nothing and runs no script', async () => {
  const { call } = testApi()
  const page = await call('GET', '/openapi', undefined, { accept: 'text/html' })
  assert.equal(page.status, 200)
  assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
  assert.match(String(page.headers['content-security-policy']), /^default-src 'none'/)
  const html = page.body as string
  for (const route of ROUTES) assert.ok(html.includes(`>${route.split(' ')[1]}</code>`), route)
  assert.doesNotMatch(html, /<script|<link|src=|https?:/)
  for (const [, name] of html.matchAll(/href="#(\w+)"/g)) assert.ok(html.includes(`id="${name}"`), name)
})
