import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { LoggerLevels } from '@tributary/telemetry'
import { silentLog } from '@tributary/telemetry/testing'
import { createControlPlane } from '../../apps/control-plane/src/create-control-plane.ts'
import type { OpenApiDocument } from '../../apps/control-plane/src/http/openapi.ts'
import { documentedAnswers } from '../../apps/control-plane/src/testing/documented-answers.ts'
import {
  MemoryDeadLetterIndex,
  MemoryDeadLetterStore,
  NO_TOPICS,
} from '../../apps/control-plane/src/testing/memory-dead-letters.ts'
import { MemoryHistoryStore } from '../../apps/control-plane/src/testing/memory-history.ts'
import {
  MemoryConfigStore,
  MemoryOffsetStore,
  MemoryPluginStore,
  MemoryStatusStore,
} from '../../apps/control-plane/src/testing/memory-stores.ts'
import { FILE_SOURCE } from '../../apps/control-plane/src/testing/test-api.ts'
import { collectGarbage } from '../../libs/service/src/idle-memory.ts'
import { bodies, FUZZED_LETTER, headers, messages, names, queries } from './rest.corpus.ts'
import { fuzzTargets, mutateBytes, mutateJson, mutateText } from './driver.ts'
import type { Progress, Random, Report, Target } from './driver.ts'

/** More connectors than this are removed, so that growth is that of the service and not of its data. */
const MAX_CONNECTORS = 50
/** What a run may leave in the heap, in bytes: compiled code and caches. */
const MAX_GROWTH = 24 * 1024 * 1024
/** Inputs before the heap is measured for the first time. */
const WARM_UP = 1000

interface Message {
  readonly method: string
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string | null
}

export interface RestFuzzer {
  readonly targets: readonly Target<unknown>[]
  close(): Promise<void>
}

/** The whole API on memory stores, behind a socket. `change` adds planted bugs before the routes answer. */
export async function restFuzzer(change: (app: FastifyInstance) => void = () => {}): Promise<RestFuzzer> {
  const configs = new MemoryConfigStore()
  const stores = {
    configs,
    status: new MemoryStatusStore(),
    offsets: new MemoryOffsetStore(),
    plugins: new MemoryPluginStore([FILE_SOURCE]),
    history: new MemoryHistoryStore(),
  }
  const index = new MemoryDeadLetterIndex()
  for (let i = 0; i < 3; i++) index.add({ id: FUZZED_LETTER, connector: 'a' })
  const app = createControlPlane({
    stores,
    deadLetters: {
      ...{ store: new MemoryDeadLetterStore(), index, kafka: NO_TOPICS, topics: [], maxReplays: 3 },
      read: () => Promise.resolve(null),
      // Nobody leads, so no replay goes on after the end.
      onService: () => {},
    },
    groups: { describeGroup: () => Promise.resolve({ members: [] }) },
    fencing: { fenceProducers: () => Promise.resolve() },
    levels: new LoggerLevels(),
    settings: {
      cluster: 'fuzz',
      strict: false,
      requestTimeoutMs: 5000,
      version: '0',
      kafkaClusterId: 'fuzz',
      crossOrigin: { origins: 'https://*.example.org', methods: 'GET, PUT' },
      names: { bound: '127.0.0.1', advertised: null, allowed: '' },
      callerLimits: { requestsPerSecond: 1000, failedLoginsPerMinute: 30 },
    },
    log: silentLog,
  })
  change(app)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const description = (await app.inject('/openapi.json')).payload
  const check = documentedAnswers(description)
  const routes = Object.entries((JSON.parse(description) as OpenApiDocument).paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => ({ path, method: method.toUpperCase() })),
  )
  const tidy = async (): Promise<void> => {
    const known = configs.snapshot.connectors()
    if (known.length > MAX_CONNECTORS) for (const name of known) await configs.removeConnector(name)
  }

  const requestTarget: Target<Message> = {
    name: 'requests',
    generate(random) {
      const route = random.pick(routes)
      const name = (): string => encoded(random, random.chance(0.8) ? random.pick(names) : mutateText(random, 'a'))
      const path = `${route.path.replace(/\{\w+\}/g, name)}${random.pick(queries)}`
      const known = route.method === 'GET' || random.chance(0.2) ? null : random.pick(bodies)
      const changed = random.chance(0.9) ? path : requestable(mutateText(random, path))
      return {
        method: random.chance(0.95) ? route.method : random.pick(['OPTIONS', 'TRACE', 'PATCH', 'DELETE']),
        path: changed.startsWith('/') ? changed : `/${changed}`,
        headers: Array.from({ length: random.pick([0, 0, 0, 1, 2]) }, () => random.pick(headers)),
        body: known === null ? null : bodyOf(random, known),
      }
    },
    async run(message) {
      const { status, text } = await send(agent, port, message)
      await tidy()
      assert.ok(isFine(status, text), `${status} ${text.slice(0, 200)}`)
      // One route answers with a page.
      if (text.startsWith('<!doctype html>')) return 'past'
      const body = text === '' ? undefined : (JSON.parse(text) as unknown)
      check({ ...message, url: message.path.replace(/#.*/, ''), status, body })
      return status < 400 || isJudged(text) ? 'past' : 'refused'
    },
    show: (message) => JSON.stringify(message),
  }

  const bytesTarget: Target<Uint8Array> = {
    name: 'bytes',
    generate(random) {
      let bytes: Uint8Array = Buffer.from(random.pick(messages))
      for (let rounds = random.pick([0, 0, 1, 1, 2]); rounds > 0; rounds--) bytes = mutateBytes(random, bytes)
      return bytes
    },
    async run(bytes) {
      const text = await exchange(port, bytes)
      await tidy()
      if (text === '') return 'refused'
      const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1])
      assert.ok(isFine(status, text), text.slice(0, 300))
      return [400, 408, 431].includes(status) ? 'refused' : 'past'
    },
    show: (bytes) => JSON.stringify(Buffer.from(bytes).toString('latin1')),
  }
  return {
    // A connection for each input takes ten times as long.
    targets: [...Array<Target<Message>>(4).fill(requestTarget), bytesTarget] as unknown as Target<unknown>[],
    async close() {
      agent.destroy()
      await app.close()
    },
  }
}

/** Runs `iterations` requests in all. What the heap keeps at the end is a finding, too. */
export async function fuzz(iterations: number, seed: number, progress?: Progress): Promise<Report> {
  const { targets, close } = await restFuzzer()
  const options = { ...(progress && { progress }) }
  await fuzzTargets(targets, Math.min(WARM_UP, iterations), seed + 1)
  const before = heapBytes()
  const report = await fuzzTargets(targets, iterations, seed, options)
  const grown = heapBytes() - before
  await close()
  if (grown <= MAX_GROWTH) return report
  const message = `${iterations} requests left ${Math.round(grown / 2 ** 20)} MiB in the heap`
  const finding = { target: 'requests', kind: 'memory' as const, inputSeed: seed, message, input: 'all' }
  return { ...report, findings: [...report.findings, finding] }
}

function heapBytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

/** Whether a resource has refused the request, rather than the HTTP layer. */
function isJudged(text: string): boolean {
  return !/"message":"HTTP \d/.test(text)
}

function encoded(random: Random, name: string): string {
  return random.chance(0.9) ? encodeURIComponent(name.toWellFormed()) : requestable(name)
}

/** Node's client refuses to send other characters in a path. */
function requestable(path: string): string {
  return path.replaceAll(/[^\x21-\xff]/g, (char) => encodeURIComponent(char.toWellFormed()))
}

function bodyOf(random: Random, known: unknown): string {
  // Many values, or more than are allowed. 5,000 take 26 ms of CPU, which a busy machine stretches to 100.
  const many = random.chance(0.01) ? random.pick([1000, 1500]) + (random.chance(0.5) ? 5000 : 0) : 0
  if (many > 0) return `{${Array.from({ length: many }, (_, i) => `"k${i}":${i}`).join(',')}}`
  let value = known
  for (let rounds = random.pick([0, 1, 1, 1, 2, 4]); rounds > 0; rounds--) value = mutateJson(random, value)
  const text = JSON.stringify(value) ?? ''
  return random.chance(0.1) ? mutateText(random, text) : text
}

function send(agent: Agent, port: number, message: Message): Promise<{ status: number; text: string }> {
  const { method, path, body } = message
  const sent = Object.fromEntries([['content-type', 'application/json'], ...message.headers])
  if (body === null) delete sent['content-type']
  // Node's client would not say where the body of a DELETE or a HEAD ends.
  else sent['content-length'] = String(Buffer.byteLength(body))
  return new Promise((resolve, reject) => {
    const outgoing = request({ agent, host: '127.0.0.1', port, method, path, headers: sent }, (answer) => {
      // A tail goes on until its reader goes.
      if (answer.headers['content-type'] === 'text/event-stream') {
        answer.destroy()
        return resolve({ status: answer.statusCode!, text: '' })
      }
      const chunks: Buffer[] = []
      answer.on('data', (chunk: Buffer) => chunks.push(chunk))
      answer.on('end', () => resolve({ status: answer.statusCode!, text: Buffer.concat(chunks).toString() }))
      answer.on('error', reject)
    })
    outgoing.on('error', reject)
    outgoing.end(body ?? undefined)
  })
}

/** All that comes until the server closes the connection, which it must: the client has ended its side. */
function exchange(port: number, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const received: Buffer[] = []
    socket.on('data', (chunk) => received.push(chunk))
    // A server that refuses a request may close while the client still sends.
    socket.on('error', () => {})
    socket.on('close', () => resolve(Buffer.concat(received).toString('latin1')))
    socket.end(bytes)
  })
}

/** No worker runs here, so a preview that got through every check is answered with the documented 503. */
function isFine(status: number, text: string): boolean {
  return status < 500 || (status === 503 && text.includes('only a worker can read the source'))
}
