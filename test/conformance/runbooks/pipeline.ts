import {
  type Certificates,
  type Child,
  freePort,
  makeCertificates,
  sharedKafka,
  startChild,
  temporaryFolder,
} from '@tributary/harness'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { ServerCredentials } from '@grpc/grpc-js'
import { tickerProps } from '../../support/grpc-task.ts'
import { makeApiKey, withKey } from '../../support/api-key.ts'
import { createTopic, type KeptRecord, readEndOffset, readPartition } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'
import type { AccessMode } from '../access-modes.ts'
import { inStates, type States } from '../connector-states.ts'
import { send } from '../../support/rest-call.ts'
import { TickingSource } from './ticking-source.ts'

const run = promisify(execFile)

type Config = Readonly<Record<string, string>>

/** A connector under the name that a runbook gives it, with its source and its topic. */
export interface Flow {
  readonly name: string
  readonly source: TickingSource
  readonly topic: string
  readonly deadLetters: string
  readonly config: Config
}

/**
 * Tributary as operators have it: a control plane, workers that can be scaled and killed, and a shell in which
 * `localhost:8083` and `kafka-connect:8083` are the REST API, and `localhost:8080` is the operators' API.
 */
export class Pipeline {
  /** With the credentials, where they are needed. */
  readonly url: string
  readonly flows = new Map<string, Flow>()
  readonly #t: TestContext
  readonly #brokers: readonly string[]
  readonly #env: Record<string, string>
  /** The folder of the shell, with the files that the runbooks name. */
  readonly #folder = temporaryFolder('runbooks')
  readonly #workers: Child[] = []
  #plane: Child | null = null
  /** Of the client, not in use yet. */
  #renewed: Certificates | null = null

  private constructor(t: TestContext, brokers: readonly string[], url: string, settings: Record<string, string>) {
    this.#t = t
    this.#brokers = brokers
    this.url = url
    this.#env = {
      KAFKA_BROKERS: brokers.join(','),
      TRIBUTARY_REST_PORT: new URL(url).port,
      TRIBUTARY_REST_ALLOWED_HOSTS: 'kafka-connect',
      TRIBUTARY_ADMIN_PORT: '0',
      ...settings,
    }
  }

  /** Starts a pipeline with one worker. `more` settings are named as in the environment. */
  static async start(t: TestContext, access: AccessMode, more: Record<string, string> = {}): Promise<Pipeline> {
    const { brokers } = await sharedKafka()
    const cluster = `runbooks-${randomUUID()}`
    const operators = await freePort()
    const settings = { TRIBUTARY_CLUSTER: cluster, TRIBUTARY_OPERATORS_PORT: String(operators), ...more }
    const url = `http://127.0.0.1:${await freePort()}`
    const key = access === 'with an API key' ? await makeApiKey(brokers, cluster) : null
    const pipeline =
      key === null
        ? new Pipeline(t, brokers, url, settings)
        : new Pipeline(t, brokers, withKey(url, key), { TRIBUTARY_ACCESS_AUTHENTICATION: 'keys', ...settings })
    await pipeline.shell('command -v curl jq')
    // curl maps the runbooks' addresses to the address of this control plane.
    const rest = new URL(pipeline.url).host
    const connectTo = [
      `localhost:8083:${rest}`,
      `kafka-connect:8083:${rest}`,
      `localhost:8080:127.0.0.1:${operators}`,
    ].map((mapped) => `connect-to = "${mapped}"\n`)
    // The runbooks' commands name no credentials: an operator has them in this file, too.
    const user = key === null ? '' : `user = "key:${key}"\n`
    await writeFile(join(pipeline.#folder, '.curlrc'), connectTo.join('') + user)
    await Promise.all([pipeline.#startPlane(), pipeline.scale(1)])
    await until('the plugin is listed', async () => {
      const { body } = await send(pipeline.url, { method: 'GET', path: '/connector-plugins' })
      return (body as unknown[]).length > 0
    })
    return pipeline
  }

  /**
   * Creates a connector with a source of its own. The connector does not reconnect by itself, so an outage makes it
   * FAILED.
   */
  async addFlow(name: string, more: Config = {}, credentials?: ServerCredentials): Promise<Flow> {
    const source = new TickingSource(credentials)
    await source.start()
    this.#t.after(() => source.stop())
    const [topic, deadLetters] = [await createTopic(this.#brokers), await createTopic(this.#brokers)]
    const config = tickerProps(source.port, {
      'connector.class': 'io.tributary.connect.grpc.GrpcSourceConnector',
      'tasks.max': '1',
      'kafka.topic': topic,
      'grpc.reconnect.enabled': 'false',
      'grpc.resume.field': 'sequence',
      'grpc.resume.request.field': 'from.sequence',
      'errors.deadletterqueue.topic.name': deadLetters,
      'errors.deadletterqueue.context.headers.enable': 'true',
      ...more,
    })
    const flow = { name, source, topic, deadLetters, config }
    this.flows.set(name, flow)
    const { status, body } = await send(this.url, { method: 'POST', path: '/connectors', body: { name, config } })
    assert.equal(status, 201, JSON.stringify(body))
    await this.goesOn(flow)
    return flow
  }

  /** Creates a connector whose source wants a client certificate, which `renewCertificate` overwrites in place. */
  async addSecureFlow(name: string): Promise<void> {
    const [one, two] = await Promise.all(
      ['one', 'two'].map(async (folder) => {
        await mkdir(join(this.#folder, folder))
        return makeCertificates(join(this.#folder, folder))
      }),
    )
    const [cert_chain, private_key, ...roots] = await Promise.all(
      [one!.serverCert, one!.serverKey, one!.ca, two!.ca].map((path) => readFile(path)),
    )
    const pair = { cert_chain: cert_chain!, private_key: private_key! }
    await this.#installCertificate(one!)
    this.#renewed = two!
    const tls = {
      'grpc.tls.enabled': 'true',
      'grpc.tls.ca.cert': one!.ca,
      'grpc.tls.client.cert': join(this.#folder, 'client.pem'),
      'grpc.tls.client.key': join(this.#folder, 'client.key'),
    }
    await this.addFlow(name, tls, ServerCredentials.createSsl(Buffer.concat(roots), [pair], true))
  }

  async renewCertificate(): Promise<void> {
    await this.#installCertificate(this.#renewed!)
  }

  async #installCertificate({ clientCert, clientKey }: Certificates): Promise<void> {
    await this.file('client.pem', await readFile(clientCert, 'utf8'))
    await this.file('client.key', await readFile(clientKey, 'utf8'))
  }

  /** Writes a file that a runbook's command reads. */
  async file(name: string, content: unknown): Promise<void> {
    const path = join(this.#folder, name)
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content, null, 2))
  }

  /** Runs a command. Returns its output. */
  async shell(command: string): Promise<string> {
    const env = { ...process.env, CURL_HOME: this.#folder, NO_PROXY: '*' }
    // A pipe fails with its first command that fails.
    const { stdout } = await run('bash', ['-o', 'pipefail', '-c', command], { cwd: this.#folder, env, timeout: 60_000 })
    return stdout
  }

  states(connector: string, states: States): Promise<void> {
    return inStates(this.url, connector, states)
  }

  /** Sets the number of workers, as `docker compose up --scale` does. */
  async scale(workers: number): Promise<void> {
    while (this.#workers.length < workers) await this.#startWorker()
    await Promise.all(this.#workers.splice(workers).map((worker) => worker.stop()))
  }

  /** Kills the control plane and a worker, and starts both again. */
  async crash(): Promise<void> {
    await Promise.all([this.#plane?.kill(), this.#workers.shift()!.kill()])
    await Promise.all([this.#startPlane(), this.#startWorker()])
  }

  /** Waits until the connector is RUNNING and new records arrive in its topic. */
  async goesOn(flow: Flow): Promise<void> {
    await this.states(flow.name, ['RUNNING', 'RUNNING'])
    const before = await this.written(flow.topic)
    await until(`${flow.name} writes records`, async () => (await this.written(flow.topic)) > before)
  }

  /** The number of records in the topic. */
  written(topic: string): Promise<bigint> {
    return readEndOffset(this.#brokers, topic)
  }

  deadLetters({ deadLetters }: Flow): Promise<KeptRecord[]> {
    return readPartition(this.#brokers, deadLetters)
  }

  /** Checks that every tick up to the last one is in the topic, except malformed ones. */
  async nothingLost({ source, topic }: Flow): Promise<void> {
    const records = await readPartition(this.#brokers, topic)
    const kept = new Set(
      records.map(({ value }) => Number((JSON.parse(String(value)) as { sequence: string }).sequence)),
    )
    const missing: number[] = []
    for (let sequence = 1; sequence <= Math.max(...kept); sequence++) {
      if (!kept.has(sequence) && !source.malformed.has(sequence)) missing.push(sequence)
    }
    assert.deepEqual(missing, [])
  }

  async #startPlane(): Promise<void> {
    this.#plane = await this.#startApp('control-plane')
    await until('the REST API answers', () => send(this.url, { method: 'GET', path: '/' }).catch(() => null))
  }

  async #startWorker(): Promise<void> {
    this.#workers.push(await this.#startApp('grpc-ingest'))
  }

  async #startApp(app: string): Promise<Child> {
    const args = [new URL(`../../../apps/${app}/src/main.ts`, import.meta.url).pathname]
    const logFile = join(temporaryFolder('runbooks'), `${app}.log`)
    const child = await startChild({ command: process.execPath, args, logFile, env: this.#env })
    this.#t.after(() => child.stop())
    return child
  }
}
