import assert from 'node:assert/strict'
import test from 'node:test'
import fastify from 'fastify'
import type { Right } from '../access/rights.ts'
import { authorise } from '../http/authorise.ts'
import type { OpenApiDocument } from '../http/openapi.ts'
import { GRANTS_ACCESS } from '../testing/grants-access.ts'
import { type Answer, FILE_SOURCE, testApi } from '../testing/test-api.ts'

/** Who has which right, said a second time: the code says it in access/rights.ts. */
const RIGHTS: Readonly<Record<string, readonly Right[]>> = {
  viewer: ['view'],
  'viewer+configs': ['view', 'configs'],
  operator: ['view', 'operate'],
  'operator+configs': ['view', 'operate', 'configs'],
  'viewer+records': ['view', 'records'],
  'operator+configs+records': ['view', 'operate', 'configs', 'records'],
  'admin-configs': ['view', 'records', 'operate', 'alter', 'configs'],
  admin: ['view', 'records', 'operate', 'alter', 'configs', 'administer'],
}

const api = testApi({ access: GRANTS_ACCESS })
const config = { 'connector.class': FILE_SOURCE.class, topic: 'lines' }

/** The route with `name` as its connector, in its path or in its body. */
function call(
  method: string,
  path: string,
  name: string,
  grants: string | null,
  port: 'call' | 'operators' = 'operators',
): Promise<Answer> {
  const named: Readonly<Record<string, string>> = { connector: name, plugin: FILE_SOURCE.class, logger: 'x', task: '0' }
  // A tail would go on.
  const query = path.endsWith('/tail') ? '?seconds=0' : ''
  const url = path.replace(/\{(\w+)\}/g, (_, parameter: string) => named[parameter] ?? 'x') + query
  const bodies: Readonly<Record<string, unknown>> = {
    'POST /connectors': { name, config },
    'PUT /connector-plugins/{plugin}/config/validate': { ...config, name },
    'POST /connector-plugins/{plugin}/preview': { ...config, name },
  }
  const body = method === 'GET' || method === 'HEAD' ? undefined : (bodies[`${method} ${path}`] ?? config)
  return api[port](method, url, body, grants === null ? {} : { 'x-grants': grants })
}

async function routes(): Promise<{ method: string; path: string; right: Right }[]> {
  // The operators' port has all routes.
  const { paths } = (await api.operators('GET', '/openapi.json')).body as OpenApiDocument
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const route = { method: method.toUpperCase(), path, right: operation['x-right'] }
      return method === 'get' ? [route, { ...route, method: 'HEAD' }] : [route]
    }),
  )
}

/** Whether the path or the body names the connector that needs the right. */
const namesConnector = ({ method, path }: { method: string; path: string }): boolean =>
  path.includes('{connector}') || `${method} ${path}` === 'POST /connectors' || /\/(validate|preview)$/.test(path)

test('every role reaches exactly the routes of its rights, for the connectors of its pattern', async () => {
  const all = await routes()
  assert.ok(all.length > 40, `${all.length}`)
  for (const route of all) {
    const { method, path, right } = route
    const open = right === 'open'
    assert.equal((await call(method, path, 'a-1', null)).status === 401, !open, `${method} ${path} without credentials`)
    for (const [role, rights] of Object.entries(RIGHTS)) {
      const has = open || rights.includes(right)
      const cases: [pattern: string, name: string, allowed: boolean][] = [
        ['', 'a-1', has],
        [':a-*', 'a-1', has && right !== 'administer'],
        [':a-*', 'b-1', has && right !== 'administer' && !namesConnector(route)],
      ]
      for (const [pattern, name, allowed] of cases) {
        const { status, body } = await call(method, path, name, role + pattern)
        const what = `${method} ${path} of ${name} by ${role + pattern}: ${status} ${JSON.stringify(body)}`
        assert.equal(![401, 403].includes(status), allowed, what)
      }
    }
  }
})

test('the refusal names the right and the connector, and is the same whether or not the connector exists', async () => {
  await call('POST', '/connectors', 'b-1', 'admin')
  for (const { method, path, right } of await routes()) {
    if (!namesConnector({ method, path }) || method === 'HEAD') continue
    const there = await call(method, path, 'b-1', 'admin:a-*', 'call')
    const missing = await call(method, path, 'b-2', 'admin:a-*', 'call')
    const { message } = there.body as { message: string }
    assert.equal(message.includes(`the right "${right}" for the connector b-1`), true, message)
    assert.deepEqual(
      { ...missing, body: JSON.stringify(missing.body).replaceAll('b-2', 'b-1') },
      {
        ...there,
        body: JSON.stringify(there.body),
        headers: { ...there.headers, 'content-length': missing.headers['content-length'] },
      },
      `${method} ${path}`,
    )
  }
})

test('lists and changes of many connectors have those that the caller may see or operate', async () => {
  const api = testApi({ access: GRANTS_ACCESS })
  const as = (grants: string) => ({ 'x-grants': grants })
  for (const name of ['a-1', 'b-1']) await api.call('POST', '/connectors', { name, config }, as('admin'))
  const read = async (path: string, grants: string): Promise<unknown> =>
    (await api.call('GET', path, undefined, as(grants))).body
  assert.deepEqual(await read('/connectors', 'viewer:b-*'), ['b-1'])
  assert.deepEqual(await read('/connectors', 'viewer:c-*'), [])
  assert.deepEqual(Object.keys((await read('/connectors?expand=info', 'viewer:b-*, operator:c')) as object), ['b-1'])
  assert.equal(((await read('/cluster', 'viewer:b-*')) as { connectors: number }).connectors, 1)
  const { body } = await api.call('PUT', '/cluster/connectors/pause?pattern=*', undefined, as('operator:a-*, viewer'))
  assert.deepEqual(body, { pattern: '*', changed: ['a-1'], unchanged: [], stopped: [] })
})

test('a route without a right does not start', async () => {
  const app = fastify()
  authorise(app)
  assert.throws(() => app.get('/forgotten', () => 'x'), /GET \/forgotten declares no right/)
})
