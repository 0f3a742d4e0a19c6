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

interface Terms {
  /** Whether it has KIP-875, and `expand`. */
  readonly offsets: boolean
  readonly expand: boolean
}

type Respond = (method: string, path: string, body: unknown) => { status: number; body?: unknown }

const NOT_FOUND = { status: 404, body: { error_code: 404, message: 'HTTP 404 Not Found' } }
const STATES: Readonly<Record<string, string>> = { stop: 'STOPPED', pause: 'PAUSED', resume: 'RUNNING' }

function statusOf(name: string, { state }: Kept): object {
  const tasks = state === 'STOPPED' ? [] : [{ id: 0, state, worker_id: 'w:1' }]
  return { name, connector: { state, worker_id: 'w:1' }, tasks, type: 'source' }
}

function infoOf(name: string, { config }: Kept): object {
  return { name, config, tasks: [], type: 'source' }
}

function validated(config: Readonly<Record<string, string>>): ReturnType<Respond> {
  if (!/Source/.test(config['connector.class']!)) return NOT_FOUND
  const configs = Object.keys(config).map((name) => ({ definition: {}, value: { name, errors: [] } }))
  return { status: 200, body: { configs } }
}

function ofAll(connectors: Map<string, Kept>, { expand }: Terms): Respond {
  return (method, _path, body) => {
    if (method === 'POST') {
      const {
        name,
        config,
        initial_state: state = 'RUNNING',
      } = body as Pick<Kept, 'config'> & {
        name: string
        initial_state?: string
      }
      if (connectors.has(name)) return { status: 409, body: { message: `Connector ${name} already exists` } }
      const kept = { config, state, offsets: [] }
      connectors.set(name, kept)
      return { status: 201, body: infoOf(name, kept) }
    }
    if (!expand) return { status: 200, body: [...connectors.keys()] }
    const all = [...connectors].map(([name, kept]) => [
      name,
      { info: infoOf(name, kept), status: statusOf(name, kept) },
    ])
    return { status: 200, body: Object.fromEntries(all) as object }
  }
}

function ofOne(connectors: Map<string, Kept>, name: string, verb: string, { offsets }: Terms): Respond {
  return (method, _path, body) => {
    const kept = connectors.get(name)
    if (kept === undefined || (!offsets && ['offsets', 'stop'].includes(verb))) return NOT_FOUND
    if (method === 'PUT' && STATES[verb] !== undefined) {
      kept.state = STATES[verb]
      return { status: 202 }
    }
    if (method === 'DELETE') {
      connectors.delete(name)
      return { status: 204 }
    }
    if (method === 'PATCH') {
      kept.offsets = (body as Pick<Kept, 'offsets'>).offsets
      return { status: 200, body: { message: 'done' } }
    }
    const reads: Readonly<Record<string, unknown>> = {
      '': infoOf(name, kept),
      config: kept.config,
      status: statusOf(name, kept),
      offsets: { offsets: kept.offsets },
    }
    return { status: 200, body: reads[verb] }
  }
}

function respondOf(connectors: Map<string, Kept>, terms: Terms): Respond {
  return (method, path, body) => {
    const version = terms.offsets ? '3.9.1' : '2.2.0'
    if (path === '/') return { status: 200, body: { version, commit: 'x', kafka_cluster_id: 'k' } }
    if (path.startsWith('/connector-plugins/')) return validated(body as Readonly<Record<string, string>>)
    const [, , encoded, verb = ''] = path.split('?')[0]!.split('/')
    const respond =
      encoded === undefined ? ofAll(connectors, terms) : ofOne(connectors, decodeURIComponent(encoded), verb, terms)
    return respond(method, path, body)
  }
}

/** Starts it. It ends with the test. */
export async function fakeConnect(t: TestContext, terms: Partial<Terms> = {}): Promise<FakeConnect> {
  const connectors = new Map<string, Kept>()
  const fake = { url: '', connectors, changes: [] as string[], answer: (() => null) as FakeConnect['answer'] }
  const respond = respondOf(connectors, { offsets: true, expand: true, ...terms })
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
