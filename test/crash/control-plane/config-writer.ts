import { randomUUID } from 'node:crypto'
import type { ReplicaProcess } from './processes.ts'

/**
 * The outcome of one write for its client. `acknowledged`: 2xx. `refused`: a clean error. `cut`: its replica was
 * killed.
 */
export interface Write {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly connector: string
  /** The value in the written configuration. A deletion has none. */
  readonly value: string | null
  readonly outcome: 'acknowledged' | 'refused' | 'cut'
  /** In ms of `performance.now()`. */
  readonly sentAt: number
  readonly answeredAt: number
  /** A description of an answer that must not happen. */
  readonly fault?: string
}

const EXPECTED: Readonly<Record<Write['method'], readonly number[]>> = {
  POST: [201],
  PUT: [200],
  PATCH: [200],
  DELETE: [204],
}
/** The writes of one connector's life, each to any replica. */
const LIFE = ['POST', 'PUT', 'PATCH', 'PUT', 'PATCH', 'DELETE'] as const

/**
 * A client that creates, changes and deletes connectors at random replicas, and never sends a write a second time. So a
 * write that is in the topic twice was made twice. The client leaves a connector alone after a failed write.
 */
export class ConfigWriter {
  readonly writes: Write[] = []
  readonly #replicas: readonly ReplicaProcess[]

  constructor(replicas: readonly ReplicaProcess[]) {
    this.#replicas = replicas
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const connector = `c-${randomUUID()}`
      // One connector in three is not deleted, so that the end shows configurations too.
      const life = Math.random() < 0.33 ? LIFE.slice(0, -1) : LIFE
      for (const method of life) {
        const write = await this.#write(method, connector)
        this.writes.push(write)
        if (write.outcome !== 'acknowledged' || signal.aborted) break
      }
    }
  }

  async #write(method: Write['method'], connector: string): Promise<Write> {
    const replica = this.#replicas[Math.floor(Math.random() * this.#replicas.length)]!
    const value = method === 'DELETE' ? null : randomUUID()
    const sentAt = performance.now()
    const done = (outcome: Write['outcome'], fault?: string): Write => {
      const answeredAt = performance.now()
      return { method, connector, value, outcome, sentAt, answeredAt, ...(fault !== undefined && { fault }) }
    }
    try {
      const response = await send(replica.url, method, connector, value)
      const text = await response.text()
      if (EXPECTED[method].includes(response.status)) return done('acknowledged')
      return done('refused', response.status === 503 && isError(text, 503) ? undefined : `${response.status} ${text}`)
    } catch (error) {
      if (replica.wasDown(sentAt, performance.now())) return done('cut')
      return done('cut', `connection to a replica that lives: ${String((error as Error).cause ?? error)}`)
    }
  }
}

function send(url: string, method: Write['method'], connector: string, value: string | null): Promise<Response> {
  const config = { 'connector.class': 'FileStreamSource', topic: 't', value }
  const [path, body] = {
    POST: ['/connectors', { name: connector, config }],
    PUT: [`/connectors/${connector}/config`, config],
    PATCH: [`/connectors/${connector}/config`, { value }],
    DELETE: [`/connectors/${connector}`, undefined],
  }[method] as [string, unknown]
  return fetch(url + path, {
    method,
    ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(60_000),
  })
}

function isError(text: string, status: number): boolean {
  const { error_code: code, message } = JSON.parse(text) as { error_code?: unknown; message?: unknown }
  return code === status && typeof message === 'string'
}
