import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf, MigrateError, mustBeDone, pathOf, type Rest, type RestAnswer } from './rest.ts'

export type Config = Readonly<Record<string, string>>

/** A source partition and its offset; the shape of KIP-875. */
export interface OffsetEntry {
  readonly partition: Readonly<Record<string, unknown>>
  readonly offset: Readonly<Record<string, unknown>> | null
}

export interface OldConnector {
  readonly name: string
  readonly config: Config
  /** Of Kafka Connect: RUNNING, PAUSED, STOPPED, FAILED, UNASSIGNED. */
  readonly state: string
  readonly type: string
  readonly tasks: readonly { readonly id: number; readonly state: string; readonly worker_id: string }[]
}

interface Status {
  readonly connector: { readonly state: string }
  readonly tasks: OldConnector['tasks']
  readonly type?: string
}

/** How long Kafka Connect may take to rebalance. */
const PATIENCE_MS = 120_000
const LOOK_MS = 500

/** A running Kafka Connect, 2.0 to 4.x, read and changed by its REST API alone. */
export class OldConnect {
  readonly rest: Rest
  /** As `GET /` says: Confluent's versions have numbers of their own. */
  readonly version: string
  readonly kafkaCluster: string | null
  /** Whether it reads offsets and stops connectors by REST (KIP-875): 3.5 and later. null: it has no connector with which to try. */
  readonly hasOffsets: boolean | null
  readonly #connectors: ReadonlyMap<string, OldConnector>

  private constructor(rest: Rest, server: object, connectors: readonly OldConnector[], hasOffsets: boolean | null) {
    const { version, kafka_cluster_id: cluster } = server as { version?: string; kafka_cluster_id?: string }
    this.rest = rest
    this.version = version ?? 'unknown'
    this.kafkaCluster = cluster ?? null
    this.hasOffsets = hasOffsets
    this.#connectors = new Map(connectors.map((one) => [one.name, one]))
  }

  static async read(rest: Rest): Promise<OldConnect> {
    const server = mustBeDone('say its version', rest, await rest.call('GET', '/'))
    if (typeof server !== 'object' || server === null || !('version' in server))
      throw new MigrateError(`${rest.url} is no Kafka Connect: its answer to GET / names no version`)
    const connectors = await readConnectors(rest)
    const [first] = connectors
    // A connector that does not exist would also be answered with 404.
    const tried = first === undefined ? null : await rest.call('GET', pathOf(first.name, '/offsets'))
    return new OldConnect(rest, server, connectors, tried === null ? null : tried.status !== 404)
  }

  get connectors(): readonly OldConnector[] {
    return [...this.#connectors.values()]
  }

  find(name: string): OldConnector | null {
    return this.#connectors.get(name) ?? null
  }

  async offsets(name: string): Promise<readonly OffsetEntry[]> {
    const body = mustBeDone(
      `read the offsets of ${name}`,
      this.rest,
      await this.#patiently('GET', pathOf(name, '/offsets')),
    )
    return (body as { offsets: OffsetEntry[] }).offsets
  }

  /** Stops the connector, and waits until its tasks are gone: a paused one would keep its connections. */
  async stop(name: string): Promise<void> {
    mustBeDone(`stop ${name}`, this.rest, await this.#patiently('PUT', pathOf(name, '/stop')))
    await this.#until(`${name} has stopped and its tasks are gone`, async () => {
      const status = await this.#status(name)
      return status?.connector.state === 'STOPPED' && status.tasks.length === 0
    })
  }

  /** Deletes the connector, and waits until no worker tells of its tasks. */
  async remove(name: string): Promise<void> {
    const answer = await this.#patiently('DELETE', pathOf(name))
    if (answer.status !== 404) mustBeDone(`delete ${name}`, this.rest, answer)
    await this.#until(`${name} is gone`, async () => (await this.#status(name)) === null)
  }

  /** Lets a stopped connector be again what it was. */
  async restore({ name, config, state }: OldConnector, deleted: boolean): Promise<void> {
    if (deleted) {
      const there = await this.rest.call('GET', pathOf(name))
      if (there.status === 404)
        mustBeDone(`make ${name} again`, this.rest, await this.#patiently('POST', '/connectors', { name, config }))
    }
    if (state === 'STOPPED') return
    const verb = state === 'PAUSED' ? 'pause' : 'resume'
    mustBeDone(`${verb} ${name}`, this.rest, await this.#patiently('PUT', pathOf(name, `/${verb}`)))
  }

  async #status(name: string): Promise<Status | null> {
    const answer = await this.#patiently('GET', pathOf(name, '/status'))
    return answer.status === 404 ? null : (mustBeDone(`say how ${name} is`, this.rest, answer) as Status)
  }

  /** Kafka Connect answers 409 while it rebalances. */
  async #patiently(method: string, path: string, body?: unknown): Promise<RestAnswer> {
    const until = Date.now() + PATIENCE_MS
    for (;;) {
      const answer = await this.rest.call(method, path, body)
      if (![409, 503].includes(answer.status) || Date.now() > until) return answer
      await sleep(LOOK_MS)
    }
  }

  async #until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const until = Date.now() + PATIENCE_MS
    while (!(await holds())) {
      if (Date.now() > until)
        throw new MigrateError(`It took more than ${PATIENCE_MS / 1000} s until ${what} on ${this.rest.url}`)
      await sleep(LOOK_MS)
    }
  }
}

interface Info {
  readonly config: Config
  readonly type?: string
}

/** One request where Kafka Connect has `expand` (2.3), else two for each connector. */
async function readConnectors(rest: Rest): Promise<OldConnector[]> {
  const listed = mustBeDone(
    'list its connectors',
    rest,
    await rest.call('GET', '/connectors?expand=info&expand=status'),
  )
  const expanded = Array.isArray(listed)
    ? await Promise.all((listed as string[]).map(async (name) => [name, await readOne(rest, name)] as const))
    : Object.entries(listed as Record<string, { info?: Info; status?: Status }>)
  const sorted = expanded.sort(([a], [b]) => (a < b ? -1 : 1))
  return sorted.flatMap(([name, { info, status }]) => {
    // One that is being deleted has no configuration.
    if (info === undefined) return []
    const { state } = status?.connector ?? { state: 'UNASSIGNED' }
    return {
      name,
      config: info.config,
      state,
      type: info.type ?? status?.type ?? 'unknown',
      tasks: status?.tasks ?? [],
    }
  })
}

async function readOne(rest: Rest, name: string): Promise<{ info?: Info; status?: Status }> {
  const [info, status] = await Promise.all([rest.call('GET', pathOf(name)), rest.call('GET', pathOf(name, '/status'))])
  if (info.status === 404) return {}
  if (info.status !== 200) throw new MigrateError(`${rest.url} could not read ${name}: ${messageOf(info)}`)
  return { info: info.body as Info, ...(status.status === 200 && { status: status.body as Status }) }
}
