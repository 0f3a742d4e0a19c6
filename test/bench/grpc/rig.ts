import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { KafkaConnection } from '@tributary/config'
import { createStores, type Stores } from '@tributary/connect-storage'
import { KafkaAdmin } from '@tributary/kafka'
import { NODE_ENVIRONMENT, NODE_FLAGS } from '@tributary/service/boot'
import { createLogger } from '@tributary/telemetry'

const HERE = import.meta.dirname
const ROOT = join(HERE, '../../..')
const quiet = createLogger({ name: 'bench', level: 'error' })

export interface Child {
  readonly process: ChildProcess
  readonly pid: number
  /** Resolves with what stands behind `key=` in a line of its output. */
  value(key: string): Promise<string>
  stop(): Promise<void>
}

/** A child whose stdin is a pipe of ours: it ends when we do. */
export function start(file: string, args: readonly string[], env: Record<string, string> = {}): Child {
  const ours = file.startsWith('apps/')
  const child = spawn(process.execPath, [...(ours ? NODE_FLAGS : []), join(ROOT, file), ...args], {
    env: { ...process.env, ...(ours ? NODE_ENVIRONMENT : {}), ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line)
    for (const look of waiting) look()
  })
  child.on('exit', () => waiting.forEach((look) => look()))
  return {
    process: child,
    pid: child.pid!,
    value: (key) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          for (const line of lines) {
            const found = new RegExp(`(?:^|\\s)${key}=(\\S+)`).exec(line)
            if (!found) continue
            waiting.delete(look)
            return resolve(found[1]!)
          }
          if (child.exitCode !== null) reject(new Error(`${file} ended before it said ${key}=:\n${lines.join('\n')}`))
        }
        waiting.add(look)
        look()
      }),
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'exit')
    },
  }
}

export class Rig {
  readonly connection: KafkaConnection
  readonly admin: KafkaAdmin
  readonly run = `bench-${process.pid}`
  #topics = 0

  constructor(brokers: readonly string[]) {
    this.connection = { brokers, clientId: 'bench' }
    this.admin = new KafkaAdmin(this.connection)
  }

  async topic(logAppendTime = false): Promise<string> {
    const name = `${this.run}-${++this.#topics}`
    const configs: Record<string, string> = logAppendTime ? { 'message.timestamp.type': 'LogAppendTime' } : {}
    await this.admin.createTopic({ name, partitions: 1, replicationFactor: 1, configs })
    return name
  }

  async end(topic: string): Promise<number> {
    return Number((await this.admin.listOffsets(topic, 'latest')).get(0) ?? 0n)
  }

  /** Resolves with the time (ms) at which the topic had `count` records; gives up after `timeoutMs`. */
  async reached(topic: string, count: number, timeoutMs = 120_000): Promise<number> {
    const deadline = performance.now() + timeoutMs
    while ((await this.end(topic)) < count) {
      if (performance.now() > deadline) return NaN
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    return performance.now()
  }

  async stores(cluster: string): Promise<Stores> {
    const stores = createStores({ connection: this.connection, log: quiet, cluster })
    await stores.configs.start(new AbortController().signal)
    return stores
  }

  startIngest(cluster: string, env: Record<string, string> = {}): Child {
    return start('apps/grpc-ingest/src/main.ts', [], {
      KAFKA_BROKERS: this.connection.brokers.join(),
      TRIBUTARY_CLUSTER: cluster,
      TRIBUTARY_PARENT_WATCH: '1',
      ...env,
    })
  }

  close(): Promise<void> {
    return this.admin.close()
  }
}

/** A connector configuration for the benchmark's source. */
export function connectorConfig(port: string, topic: string, request: object, extra: Record<string, string> = {}) {
  return {
    name: 'bench',
    'connector.class': 'io.tributary.connect.grpc.GrpcSourceConnector',
    'tasks.max': '1',
    'grpc.server.host': '127.0.0.1',
    'grpc.server.port': port,
    'grpc.service.name': 'bench.Feed',
    'grpc.method.name': 'Stream',
    'grpc.proto.descriptor': readFileSync(join(HERE, 'feed.proto'), 'utf8'),
    'grpc.request.message': JSON.stringify(request),
    'kafka.topic': topic,
    ...extra,
  }
}
