import { join } from 'node:path'
import type { KafkaConnection } from '@tributary/config'
import { type Child, freePort, startChild } from '@tributary/harness'
import { NODE_ENVIRONMENT, NODE_FLAGS } from '@tributary/service/boot'

const ROOT = join(import.meta.dirname, '../../..')
const POLL_MS = 5
const START_TIMEOUT_MS = 120_000

/** A process of ours that runs. */
export interface Started {
  readonly pid: number
  /** ms from the start of the process until it was ready. */
  readonly startMs: number
  /** host:port of its HTTP server: the REST API, or a worker's admin server, which is its worker id. */
  readonly address: string
  /** ms of the longest turn of its event loop since the last call, or since the start of the process. */
  longestTurnMs(): Promise<number>
  /** Ends it by SIGTERM; answers how long that took, in ms. Throws when it did not end well by itself. */
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

  /** Ready once REST answers, which is when the four topics were read. */
  startControlPlane(): Promise<Started> {
    return this.#start('control-plane', 'rest', '/')
  }

  /** Ready once /ready says so: it has had its first assignment, and its tasks begin to start. */
  startWorker(): Promise<Started> {
    return this.#start('grpc-ingest', 'admin', '/ready')
  }

  async #start(app: string, server: 'rest' | 'admin', readyPath: string): Promise<Started> {
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
        KAFKA_BROKERS: this.#connection.brokers.join(),
        TRIBUTARY_CLUSTER: this.cluster,
        TRIBUTARY_REST_PORT: String(ports.rest),
        TRIBUTARY_ADMIN_PORT: String(ports.admin),
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
      // It does not listen yet.
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
  if (seconds === undefined) throw new Error(`${metrics} tells no delay of the event loop`)
  return Number(seconds) * 1000
}

async function stop(child: Child, logFile: string): Promise<number> {
  const startedAt = performance.now()
  await child.stop(60_000)
  if (child.exit?.code !== 0) {
    throw new Error(`the process ended with ${JSON.stringify(child.exit)} when told to stop; its log: ${logFile}`)
  }
  return performance.now() - startedAt
}
