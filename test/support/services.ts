import { type Child, sharedKafka, startChild, temporaryFolder } from '@tributary/harness'
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Answer, send } from './rest-call.ts'
import { until } from './until.ts'

/** The tested part of Kafka Connect's answer to GET /connectors/{name}/status. */
export interface ConnectorStatus {
  readonly connector: { readonly state: string; readonly trace?: string }
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly trace?: string }[]
}

/** A control plane and workers, as processes like a user's, with a cluster name of their own on the shared Kafka. */
export interface Services {
  /** The prefix of the names of internal topics. */
  readonly cluster: string
  /** Sends one request to the REST API. */
  rest(method: string, path: string, body?: unknown): Promise<Answer>
  status(connector: string): Promise<ConnectorStatus>
  /** Creates a connector and waits until it and its task are RUNNING. */
  create(name: string, config: Readonly<Record<string, string>>): Promise<void>
  /** The first worker's metrics, in Prometheus' text format. */
  scrape(): Promise<string>
  /** Base URLs of the admin servers, of the control plane first. */
  readonly admins: readonly string[]
  /** Base URL of the REST API. */
  readonly url: string
  /** Base URL of the operators' API. */
  readonly operators: string
  /** The logs of all services so far, one after the other. */
  log(): Promise<string>
  /** The workers' logs so far, one after the other. */
  workerLog(): Promise<string>
  stop(): Promise<void>
}

type Environment = Readonly<Record<string, string>>

const mainOf = (app: string): string => new URL(`../../apps/${app}/src/main.ts`, import.meta.url).pathname

/**
 * `workers`: the apps that run tasks. `extra`: additional environment variables of the apps. `headers`: of each request to the
 * REST API.
 */
export async function startServices(
  workers: string | readonly string[] = 'grpc-ingest',
  extra: Environment = {},
  headers: Readonly<Record<string, string>> = {},
): Promise<Services> {
  const apps = [workers].flat()
  const worker = apps[0]!
  const { brokers } = await sharedKafka()
  const folder = temporaryFolder(`${worker}-services`)
  const cluster = `${worker}-${randomUUID()}`
  const env: Environment = {
    TRIBUTARY_CONFIG_PROVIDERS: 'file',
    TRIBUTARY_CONFIG_PROVIDERS_FILE_PARAM_ALLOWED_PATHS: '/',
    KAFKA_BROKERS: brokers.join(','),
    ...extra,
    TRIBUTARY_CLUSTER: cluster,
    TRIBUTARY_REST_PORT: '0',
    TRIBUTARY_ADMIN_PORT: '0',
  }
  const children: Child[] = []
  const start = async (app: string): Promise<() => Promise<string>> => {
    const logFile = join(folder, `${app}.log`)
    children.push(await startChild({ command: process.execPath, args: [mainOf(app)], logFile, env }))
    return () => readFile(logFile, 'utf8')
  }
  const stop = async (): Promise<void> => {
    await Promise.all(children.map((child) => child.stop()))
  }
  try {
    const [planeLog, ...workerLogs] = await Promise.all([start('control-plane'), ...apps.map(start)])
    const workerLog = async (): Promise<string> => (await Promise.all(workerLogs.map((log) => log()))).join('')
    const addressIn = (log: () => Promise<string>, event: string, field = 'address'): Promise<string> =>
      until(`${event} is logged`, async () => new RegExp(`event=${event} .* ${field}=(\\S+)`).exec(await log())?.[1])
    const url = `http://${await addressIn(planeLog, 'rest_started')}`
    const operators = `http://${await addressIn(planeLog, 'rest_started', 'operators')}`
    const admins = await Promise.all(
      [planeLog, ...workerLogs].map(async (log) => `http://${await addressIn(log, 'service_started')}`),
    )
    const log = async (): Promise<string> => `${await planeLog()}${await workerLog()}`
    const rest = (method: string, path: string, body?: unknown): Promise<Answer> =>
      send(url, { method, path, body, headers })
    const status = async (connector: string): Promise<ConnectorStatus> => {
      const answer = await rest('GET', `/connectors/${connector}/status`)
      // There is no status before the first one is written.
      return answer.status === 200
        ? (answer.body as ConnectorStatus)
        : { connector: { state: 'UNASSIGNED' }, tasks: [] }
    }
    for (const admin of admins) await until(`${admin} is ready`, async () => (await fetch(`${admin}/ready`)).ok)
    await until('the plugins are listed', async () => {
      const { body } = await rest('GET', '/connector-plugins')
      return (body as unknown[]).length >= apps.length
    })
    return {
      cluster,
      rest,
      status,
      create: async (name, config) => {
        const answer = await rest('POST', '/connectors', { name, config })
        assert.equal(answer.status, 201, JSON.stringify(answer.body))
        await until(`${name} is RUNNING`, async () => {
          const { connector, tasks } = await status(name)
          const trace = tasks.find((task) => task.state === 'FAILED')?.trace ?? connector.trace
          if (trace !== undefined) throw new Error(trace)
          return connector.state === 'RUNNING' && tasks.length > 0 && tasks.every((task) => task.state === 'RUNNING')
        })
      },
      scrape: async () => (await fetch(`${admins[1]}/metrics`)).text(),
      admins,
      url,
      operators,
      log,
      workerLog,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}
