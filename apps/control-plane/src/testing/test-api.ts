import type { AccessStore, InternalTopicCheck, PluginEntry } from '@tributary/connect-storage'
import { InternalClient, InternalTokens } from '@tributary/service'
import type { LogRecord } from '@tributary/kafka'
import { type Logger, LoggerLevels } from '@tributary/telemetry'
import { silentLog } from '@tributary/telemetry/testing'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { Readable } from 'node:stream'
import type { Access } from '../access/login.ts'
import { type ControlPlaneOptions, createControlPlane } from '../create-control-plane.ts'
import type { CrossOrigin } from '../http/cors.ts'
import type { Listener } from '../http/listener.ts'
import type { KafkaReader } from '../operators/health/installation.ts'
import type { GroupReader } from '../services/workers.ts'
import { MemoryHistoryStore } from './memory-history.ts'
import { type CheckAnswer, documentedAnswers } from './documented-answers.ts'
import { MemoryDeadLetterIndex, MemoryDeadLetterStore, NO_TOPICS } from './memory-dead-letters.ts'
import { MemoryConfigStore, MemoryOffsetStore, MemoryPluginStore, MemoryStatusStore } from './memory-stores.ts'

/** The tokens of every test's cluster. */
export const TEST_TOKENS = new InternalTokens([{ reveal: () => 'a key for tests that is long enough to be one' }])

/** Kafka's file source. A real Kafka Connect has this connector, too, so that answers can be compared. */
export const FILE_SOURCE: PluginEntry = {
  class: 'org.apache.kafka.connect.file.FileStreamSourceConnector',
  aliases: [],
  type: 'source',
  version: '3.9.1',
  service: 'file-ingest',
  spec: {
    keys: {
      file: {
        type: 'string',
        default: null,
        importance: 'high',
        doc: 'Source filename. If not specified, the standard input will be used',
      },
      topic: { type: 'string', importance: 'high', doc: 'The topic to publish data to' },
      'batch.size': {
        type: 'int',
        default: 2000,
        importance: 'low',
        doc: 'The maximum number of records the source task can read from the file each time it is polled',
      },
    },
  },
}

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, unknown>>
  /** The parsed body; undefined for an empty one, and text if the body is not JSON. */
  readonly body: unknown
}

export interface TestApi {
  readonly configs: MemoryConfigStore
  readonly status: MemoryStatusStore
  readonly offsets: MemoryOffsetStore
  readonly plugins: MemoryPluginStore
  readonly history: MemoryHistoryStore
  readonly index: MemoryDeadLetterIndex
  readonly letters: MemoryDeadLetterStore
  /** Records of letters that can be read, by `topic/partition/offset`. */
  readonly records: Map<string, LogRecord>
  /** Worker addresses by group. */
  readonly groups: Map<string, string[]>
  /** The transactional ids that were fenced. */
  readonly fenced: readonly string[]
  call(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
  /** The same on the operators' port. */
  operators(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>
}

export interface TestApiOptions {
  readonly strict?: boolean
  readonly plugins?: readonly PluginEntry[]
  readonly crossOrigin?: CrossOrigin
  readonly access?: Access
  readonly keys?: AccessStore
  readonly audit?: NonNullable<ControlPlaneOptions['audit']>
  readonly internalTopic?: InternalTopicCheck
  readonly log?: Logger
  readonly kafka?: KafkaReader
  readonly mayReadMetrics?: (request: FastifyRequest) => boolean
  /** This replica drives the replays of dead letters until the signal aborts. Absent: it does not. */
  readonly leads?: AbortSignal
}

/** The whole API on memory stores, called without a socket. Every answer is checked against `/openapi.json`. */
export function testApi(options: TestApiOptions = {}): TestApi {
  const stores = {
    configs: new MemoryConfigStore(),
    status: new MemoryStatusStore(),
    offsets: new MemoryOffsetStore(),
    plugins: new MemoryPluginStore(options.plugins ?? [FILE_SOURCE]),
    history: new MemoryHistoryStore(),
  }
  const groups = new Map<string, string[]>()
  const fenced: string[] = []
  const index = new MemoryDeadLetterIndex()
  const letters = new MemoryDeadLetterStore()
  const records = new Map<string, LogRecord>()
  const levels = new LoggerLevels()
  const reader: GroupReader = {
    describeGroup: (group) =>
      Promise.resolve({ members: (groups.get(group) ?? []).map((worker) => ({ metadata: { worker } })) }),
  }
  const controlPlane: ControlPlaneOptions = {
    stores,
    groups: reader,
    fencing: { fenceProducers: (ids) => Promise.resolve(void fenced.push(...ids)) },
    levels,
    deadLetters: {
      ...{ store: letters, index, kafka: NO_TOPICS, topics: [], maxReplays: 3 },
      read: ({ topic, partition, offset }) => Promise.resolve(records.get(`${topic}/${partition}/${offset}`) ?? null),
      onService: (service) => options.leads && service.lead(options.leads),
    },
    settings: {
      cluster: 'test',
      strict: options.strict ?? false,
      requestTimeoutMs: 5000,
      maskedFields: ['secrets'],
      version: '0.0.0',
      kafkaClusterId: 'kafka-1',
      crossOrigin: options.crossOrigin ?? { origins: '', methods: '' },
    },
    internal: {
      tokens: TEST_TOKENS,
      client: new InternalClient({ tokens: TEST_TOKENS, from: () => 'control-plane@test' }),
      self: () => 'rest:8083',
    },
    log: options.log ?? silentLog,
    ...(options.internalTopic && { internalTopic: options.internalTopic }),
  }
  const { access, keys, audit, kafka, mayReadMetrics } = options
  const app = createControlPlane({
    ...controlPlane,
    ...(access && { access }),
    ...(keys && { keys }),
    ...(audit && { audit }),
    ...(kafka && { kafka }),
    ...(mayReadMetrics && { mayReadMetrics }),
  })
  // Where authentication is on, its documentation is read where it is off.
  const documented = access ? createControlPlane(controlPlane) : app
  return {
    ...stores,
    ...{ index, letters, records },
    groups,
    fenced,
    call: caller(app, documented, {}),
    operators: caller(app, documented, { Request: OperatorsRequest }),
  }
}

/** A request on the operators' port. */
class OperatorsRequest extends Readable {
  get tributaryListener(): Listener {
    return 'operators'
  }
}

function caller(
  app: FastifyInstance,
  documented: FastifyInstance,
  listener: { readonly Request?: typeof OperatorsRequest },
): TestApi['call'] {
  let check: CheckAnswer | null = null
  return async (method, path, body, headers = {}) => {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const response = await app.inject({
      ...listener,
      method: method,
      url: path,
      headers: {
        host: 'rest:8083',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(text === undefined ? {} : { payload: text }),
    })
    const answered = response.payload === '' ? undefined : parsed(response.payload)
    const { statusCode: status, headers: answeredHeaders } = response
    check ??= documentedAnswers((await documented.inject({ ...listener, url: '/openapi.json' })).payload)
    if (typeof answered !== 'string') check({ method, url: path, status, body: answered })
    return { status, headers: answeredHeaders, body: answered }
  }
}

function parsed(payload: string): unknown {
  try {
    return JSON.parse(payload)
  } catch {
    return payload
  }
}
