import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type Child, type Exit, freePort, startChild, temporaryFolder } from '@tributary/harness'
import { publishFilePlugin } from '../../support/control-plane.ts'
import { until } from '../../support/until.ts'

const MAIN = new URL('../../../apps/control-plane/src/main.ts', import.meta.url).pathname

/** A replica of the control plane as a process of its own, which always has the same address. */
export class ReplicaProcess {
  readonly url: string
  /**
   * When the replica was killed, and when it answered again, by `performance.now()`. There is no second time while the
   * replica is down.
   */
  readonly outages: { readonly from: number; to: number }[] = []
  readonly #logFile: string
  readonly #start: (logFile: string) => Promise<Child>
  #child: Child | null = null

  constructor(url: string, logFile: string, start: (logFile: string) => Promise<Child>) {
    this.url = url
    this.#logFile = logFile
    this.#start = start
  }

  get pid(): number {
    return this.#child!.pid
  }

  async start(): Promise<void> {
    this.#child = await this.#start(this.#logFile)
    await until(`${this.url} answers`, async () => {
      const { exit } = this.#child!
      if (exit) throw new Error(`the control plane ended: ${JSON.stringify(exit)}, see ${this.#logFile}`)
      return (await this.leader()) !== undefined
    })
    const outage = this.outages.at(-1)
    if (outage) outage.to = performance.now()
  }

  async kill(): Promise<void> {
    this.outages.push({ from: performance.now(), to: Infinity })
    await this.#child?.kill()
  }

  /** Sends SIGTERM. Returns how the process ended. */
  async stop(): Promise<Exit | undefined> {
    this.outages.push({ from: performance.now(), to: Infinity })
    await this.#child?.stop()
    return this.#child?.exit
  }

  /**
   * The URL of the leader according to this replica; null when the replica knows none, undefined when it does not
   * answer.
   */
  async leader(): Promise<string | null | undefined> {
    try {
      const response = await fetch(`${this.url}/cluster`, { signal: AbortSignal.timeout(1000) })
      const { control_planes: all } = (await response.json()) as {
        control_planes: { address: string; leader: boolean }[]
      }
      const leader = all.find((replica) => replica.leader)
      return leader ? `http://${leader.address}` : null
    } catch {
      return undefined
    }
  }

  /** Whether the replica was down at some moment of that time. */
  wasDown(from: number, to: number): boolean {
    return this.outages.some((outage) => outage.from <= to && outage.to >= from)
  }
}

export interface Replicas {
  readonly all: readonly ReplicaProcess[]
  readonly configTopic: string
  /** Waits until one replica leads and the others know the leader. */
  leader(): Promise<ReplicaProcess>
}

/** Starts replicas of a cluster with a random name. The cluster's one plugin is a file source that no worker runs. */
export async function startReplicas(
  t: TestContext,
  brokers: readonly string[],
  count: number,
  env: Readonly<Record<string, string>> = {},
): Promise<Replicas> {
  const cluster = `crash-${randomUUID().slice(0, 8)}`
  await publishFilePlugin(t, brokers, cluster)
  const logs = temporaryFolder('control-plane')
  const all: ReplicaProcess[] = []
  for (let i = 1; i <= count; i++) {
    const port = await freePort()
    const start = async (logFile: string): Promise<Child> => {
      const child = await startChild({
        command: process.execPath,
        args: [MAIN],
        logFile,
        env: {
          KAFKA_BROKERS: brokers.join(','),
          TRIBUTARY_CLUSTER: cluster,
          TRIBUTARY_REST_PORT: String(port),
          TRIBUTARY_OPERATORS_PORT: '0',
          TRIBUTARY_INTERNAL_KEY: cluster,
          ...env,
        },
      })
      t.after(() => child.kill())
      return child
    }
    all.push(new ReplicaProcess(`http://127.0.0.1:${port}`, join(logs, `control-plane-${i}.log`), start))
  }
  for (const replica of all) await replica.start()
  return {
    all,
    configTopic: `${cluster}-connect-configs`,
    leader: () =>
      until('all replicas know one leader', async () => {
        const leaders = await Promise.all(all.map((replica) => replica.leader()))
        return new Set(leaders).size === 1 && all.find(({ url }) => url === leaders[0])
      }),
  }
}
