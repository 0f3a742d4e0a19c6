import { join } from 'node:path'
import type { KafkaConnection } from '@tributary/config'
import { type Child, freePort, startChild } from '@tributary/harness'
import { compileCacheIn, NODE_ENVIRONMENT, NODE_FLAGS } from '@tributary/service/boot'

const ROOT = join(import.meta.dirname, '../../..')
const POLL_MS = 5
const START_TIMEOUT_MS = 120_000

/** A running process of Tributary. */
export interface Started {
  readonly pid: number
  /** Time from the start of the process until it was ready, in ms. */
  readonly startMs: number
  /**
   * host:port of the process's HTTP server: the REST API, or a worker's admin server, whose address is the worker id.
   */
  readonly address: string
  /** The longest turn of the event loop since the last call, or since the start of the process, in ms. */
  longestTurnMs(): Promise<number>
  /**
   * Ends the process with SIGTERM. Returns how long that took, in ms. Throws when the process did not end with code 0.
   */
  stop(): Promise<number>
}

/** Real processes of one cluster, as `npm start` runs them, with their logs in a folder. */
export class Installation {
  readonly cluster: string
  readonly #connection: KafkaConnection
  readonly #logs: string
  #starts = 0

  constructor(options: { readonly cluster: string; readonly connection: KafkaConnection; readonly logs: string }) {
    this.cluster = options.cluster
    this.#connection = options.connection
    this.#logs = options.logs
  }

  /** The process is ready when REST answers, which is when it has read the four topics. */
  startControlPlane(env: Readonly<Record<string, string>> = {}): Promise<Started> {
    // Nobody needs credentials for this path.
    return this.#start('control-plane', 'rest', '/openapi.json', env)
  }

  /** The process is ready when /ready says so: it has its first assignment and begins to start its tasks. */
  startWorker(): Promise<Started> {
    return this.#start('grpc-ingest', 'admin', '/ready')
  }

  async #start(
    app: string,
    server: 'rest' | 'admin',
    readyPath: string,
    env: Readonly<Record<string, string>> = {},
  ): Promise<Started> {
    const ports = { rest: await freePort(), admin: await freePort() }
    const address = `127.0.0.1:${ports[server]}`
    const logFile = join(this.#logs, `${this.cluster}-${app}-${++this.#starts}.log`)
    const startedAt = performance.now()
    const child = await startChild({
      command: process.execPath,
      args: [...NODE_FLAGS, join(ROOT, `apps/${app}/src/main.ts`)],
      logFile,
      env: {
        ...NODE_ENVIRONMENT,
        ...compileCacheIn(join(ROOT, '.tributary')),
        KAFKA_BROKERS: this.#connection.brokers.join(),
        TRIBUTARY_CLUSTER: this.cluster,
        TRIBUTARY_REST_PORT: String(ports.rest),
        TRIBUTARY_OPERATORS_PORT: '0',
        TRIBUTARY_ADMIN_PORT: String(ports.admin),
        ...env,
      },
    })
    await answered(`http://${address}${readyPath}`, child, logFile)
    const startMs = performance.now() - startedAt
    const longestTurnMs = (): Promise<number> => longestTurn(`http://127.0.0.1:${ports.admin}/metrics`)
    return { pid: child.pid, startMs, address, longestTurnMs, stop: () => stop(child, logFile) }
  }
}

async function answered(url: string, child: Child, logFile: string): Promise<void> {
  const deadline = performance.now() + START_TIMEOUT_MS
  for (;;) {
    const status = await fetch(url).then(
      async (response) => {
        await response.body?.cancel()
        return response.status
      },
      // The server does not listen yet.
      () => 0,
    )
    if (status === 200) return
    if (child.exit) throw new Error(`the process ended before ${url} answered; its log: ${logFile}`)
    if (performance.now() > deadline) throw new Error(`${url} answers ${status}; its log: ${logFile}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

async function longestTurn(metrics: string): Promise<number> {
  const text = await (await fetch(metrics)).text()
  const seconds = /^tributary_event_loop_delay_seconds\{[^}]*quantile="1"[^}]*\} (\S+)/m.exec(text)?.[1]
  if (seconds === undefined) throw new Error(`${metrics} contains no delay of the event loop`)
  return Number(seconds) * 1000
}

async function stop(child: Child, logFile: string): Promise<number> {
  const startedAt = performance.now()
  await child.stop(60_000)
  if (child.exit?.code !== 0) {
    throw new Error(`the process ended with ${JSON.stringify(child.exit)} after SIGTERM; its log: ${logFile}`)
  }
  return performance.now() - startedAt
}
