import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { text } from 'node:stream/consumers'
import { parseJson, stringifyJson } from '@tributary/config'

interface Kept {
  config: Record<string, string>
  state: string
  offsets: unknown[]
}

/** What a Kafka Connect does with connectors, as far as a migration sees it. A test may break it. */
export interface FakeConnect {
  readonly url: string
  readonly connectors: Map<string, Kept>
  /** Method and path of the changes, in order. */
  readonly changes: string[]
  /** Called first. Returns the answer, or null for the usual one. */
  answer: (method: string, path: string) => { status: number; body?: unknown } | null
}

export async function fakeConnect(
  t: TestContext,
  { offsets = true, expand = true, known = /Source/ }: { offsets?: boolean; expand?: boolean; known?: RegExp } = {},
): Promise<FakeConnect> {
  const connectors = new Map<string, Kept>()
  const fake = { url: '', connectors, changes: [] as string[], answer: (() => null) as FakeConnect['answer'] }
  const status = (name: string): object => {
    const { state } = connectors.get(name)!
    const tasks = state === 'STOPPED' ? [] : [{ id: 0, state, worker_id: 'w:1' }]
    return { name, connector: { state, worker_id: 'w:1' }, tasks, type: 'source' }
  }
  const info = (name: string): object => ({ name, config: connectors.get(name)!.config, tasks: [], type: 'source' })
  const respond = (method: string, path: string, body: unknown): { status: number; body?: unknown } => {
    const notFound = { status: 404, body: { error_code: 404, message: 'HTTP 404 Not Found' } }
    if (path === '/')
      return { status: 200, body: { version: offsets ? '3.9.1' : '2.2.0', commit: 'x', kafka_cluster_id: 'k' } }
    if (path.startsWith('/connector-plugins/')) {
      const { 'connector.class': name } = body as Record<string, string>
      const configs = Object.keys(body as object).map((key) => ({ definition: {}, value: { name: key, errors: [] } }))
      return known.test(name!) ? { status: 200, body: { configs } } : { status: 404, body: {} }
    }
    const [, , encoded, verb = ''] = path.split('?')[0]!.split('/')
    if (encoded === undefined) {
      if (method === 'POST') {
        const {
          name,
          config,
          initial_state: state = 'RUNNING',
        } = body as { name: string; config: Record<string, string>; initial_state?: string }
        if (connectors.has(name)) return { status: 409, body: { message: `Connector ${name} already exists` } }
        connectors.set(name, { config, state, offsets: [] })
        return { status: 201, body: info(name) }
      }
      const names = [...connectors.keys()]
      if (!expand) return { status: 200, body: names }
      return {
        status: 200,
        body: Object.fromEntries(names.map((name) => [name, { info: info(name), status: status(name) }])),
      }
    }
    const name = decodeURIComponent(encoded)
    const kept = connectors.get(name)
    if (kept === undefined) return notFound
    const states: Record<string, string> = { stop: 'STOPPED', pause: 'PAUSED', resume: 'RUNNING' }
    if (method === 'PUT' && states[verb] !== undefined && (offsets || verb !== 'stop')) {
      kept.state = states[verb]
      return { status: 202 }
    }
    if (method === 'DELETE' && verb === '') {
      connectors.delete(name)
      return { status: 204 }
    }
    if (verb === 'offsets' && !offsets) return notFound
    if (method === 'PATCH' && verb === 'offsets') {
      kept.offsets = (body as { offsets: unknown[] }).offsets
      return { status: 200, body: { message: 'done' } }
    }
    const reads: Record<string, () => unknown> = {
      '': () => info(name),
      config: () => kept.config,
      status: () => status(name),
      offsets: () => ({ offsets: kept.offsets }),
    }
    return reads[verb] === undefined ? notFound : { status: 200, body: reads[verb]() }
  }
  const server = createServer((request, response) => {
    void text(request).then((sent) => {
      const { method = '', url = '' } = request
      if (method !== 'GET' && !url.includes('/connector-plugins/')) fake.changes.push(`${method} ${url}`)
      const { status, body } =
        fake.answer(method, url) ?? respond(method, url, sent === '' ? undefined : parseJson(sent))
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(body === undefined ? '' : stringifyJson(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return fake
}
