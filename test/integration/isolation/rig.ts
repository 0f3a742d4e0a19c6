import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createStores, type StatusEntry, type Stores, type TargetState } from '@tributary/connect-storage'
import { type Child, startChild, temporaryFolder } from '@tributary/harness'
import { createLogger } from '@tributary/telemetry'
import { createTopic, readEndOffset } from '../../support/kafka-topic.ts'
import { until } from '../../support/until.ts'

const MAIN = new URL('../../fixtures/isolation/main.ts', import.meta.url).pathname

const quiet = createLogger({ name: 'isolation', level: 'error', stream: { write: () => true } })

/** A process that runs tasks of the misbehaving source. */
export interface Worker {
  readonly child: Child
  /** The log of the process so far. */
  log(): string
  /** The address of its admin server. */
  address(): string
}

/** A connector of the misbehaving source, and its topic. */
export interface Connector {
  readonly name: string
  readonly topic: string
}

/** A cluster with a random name. The test writes connectors to its config topic; its workers are processes. */
export class IsolationRig {
  /** True when the test is over: processes then end because of that. */
  over = false
  readonly cluster = `isolation-${randomUUID().slice(0, 8)}`
  readonly #brokers: readonly string[]
  readonly #env: Readonly<Record<string, string>>
  readonly #stores: Stores
  readonly #logs = temporaryFolder('isolation')
  readonly #workers: Worker[] = []

  private constructor(brokers: readonly string[], env: Readonly<Record<string, string>>) {
    this.#brokers = brokers
    this.#env = env
    this.#stores = createStores({ connection: { brokers, clientId: this.cluster }, log: quiet, cluster: this.cluster })
  }

  /** `env` is the environment of every worker. */
  static async create(
    t: TestContext,
    brokers: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<IsolationRig> {
    const rig = new IsolationRig(brokers, env)
    const { configs, status } = rig.#stores
    t.after(async () => {
      rig.over = true
      await Promise.all(rig.#workers.map((worker) => worker.child.kill()))
      await Promise.all([configs.stop(), status.stop()])
    })
    await Promise.all([configs.start(t.signal), status.start(t.signal)])
    return rig
  }

  async start(): Promise<Worker> {
    const logFile = join(this.#logs, `${this.#workers.length + 1}.log`)
    const env = { KAFKA_BROKERS: this.#brokers.join(','), TRIBUTARY_CLUSTER: this.cluster, ...this.#env }
    const child = await startChild({ command: process.execPath, args: [MAIN], logFile, env })
    const log = (): string => readFileSync(logFile, 'utf8')
    const worker: Worker = { child, log, address: () => / address=(\S+)/.exec(log())?.[1] ?? '' }
    this.#workers.push(worker)
    return worker
  }

  async connector(name: string, config: Readonly<Record<string, string>> = {}): Promise<Connector> {
    const topic = await createTopic(this.#brokers)
    await this.configure({ name, topic }, config)
    return { name, topic }
  }

  configure({ name, topic }: Connector, config: Readonly<Record<string, string>>): Promise<void> {
    const base = { name, 'connector.class': 'test.MisbehavingSourceConnector', 'tasks.max': '1', topic }
    return this.#stores.configs.putConnectorConfig(name, { ...base, ...config })
  }

  setState({ name }: Connector, state: TargetState): Promise<void> {
    return this.#stores.configs.putTargetState(name, state)
  }

  restart({ name }: Connector): Promise<void> {
    return this.#stores.configs.putRestart({ connector: name, includeTasks: true, onlyFailed: false })
  }

  status({ name }: Connector): StatusEntry | null {
    return this.#stores.status.task(name, 0)
  }

  connectorStatus({ name }: Connector): StatusEntry | null {
    return this.#stores.status.connector(name)
  }

  /** Writes a status like one that an earlier owner of the task left. */
  leave({ name }: Connector, status: StatusEntry): Promise<void> {
    return this.#stores.status.putTask(name, 0, status)
  }

  /** Waits until the task's status satisfies `wanted`. Returns the status. */
  async reaches(
    connector: Connector,
    wanted: (status: StatusEntry) => boolean,
    timeoutMs = 30_000,
  ): Promise<StatusEntry> {
    try {
      return await until(
        `the task of ${connector.name} is as wanted`,
        () => {
          const status = this.status(connector)
          return status !== null && wanted(status) && status
        },
        timeoutMs,
      )
    } catch (error) {
      throw new Error(
        `${(error as Error).message}, but ${JSON.stringify(this.status(connector))}\n${this.lastLines()}`,
        {
          cause: error,
        },
      )
    }
  }

  /** Waits until the connector has produced `more` records after this call. */
  async goesOn({ name, topic }: Connector, more = 20): Promise<void> {
    const from = await readEndOffset(this.#brokers, topic)
    try {
      await until(`${name} goes on`, async () => (await readEndOffset(this.#brokers, topic)) >= from + BigInt(more))
    } catch (error) {
      throw new Error(`${(error as Error).message}:\n${this.lastLines()}`, { cause: error })
    }
  }

  /** The last lines of every worker's log, which a failed test shows. */
  lastLines(): string {
    return this.#workers.map((worker) => worker.log().split('\n').slice(-40).join('\n')).join('\n---\n')
  }
}
