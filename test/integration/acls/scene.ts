import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectWorker } from '@tributary/connect-runtime'
import { controlPlane } from '@tributary/control-plane'
import { type KafkaBroker, temporaryFolder } from '@tributary/harness'
import { startAdminServer } from '@tributary/service'
import { createLogger } from '@tributary/telemetry'
import { KafkaAdmin } from '@tributary/kafka'
import { COUNTERS, countersSource } from '../exactly-once/counters.ts'
import { readEndOffset } from '../../support/kafka-topic.ts'
import { type Answer, send } from '../../support/rest-call.ts'
import { until } from '../../support/until.ts'
import { passwordOf, USERS } from './rights.ts'

type Props = Readonly<Record<string, string>>
interface Running {
  stop(): Promise<void>
}

/** A control plane and workers as Kafka's users of their own, and what they say. */
export class Scene {
  readonly cluster: string
  readonly #broker: KafkaBroker
  readonly #texts: string[] = []
  readonly #running: Running[] = []
  readonly #folder = temporaryFolder('acls')
  #url = ''
  #over = false

  constructor(broker: KafkaBroker, cluster: string) {
    this.#broker = broker
    this.cluster = cluster
  }

  /** Everything that was logged and answered so far. */
  get said(): string {
    return this.#texts.join('\n')
  }

  /** Resolves when something that the services say matches. */
  async hears(pattern: RegExp, signal: AbortSignal): Promise<void> {
    for (let next = 0; !signal.aborted; await sleep(20)) {
      for (; next < this.#texts.length; next++) if (pattern.test(this.#texts[next]!)) return
    }
  }

  /**
   * Everything that a cluster does, once. `first`: who starts first and finds no topics. `deletes`: the internal topic that is deleted.
   * `alone`: `first` alone is there to bring it back.
   */
  async play(first: 'plane' | 'worker', deletes: string, alone = false): Promise<void> {
    if (first === 'worker') this.#worker().catch((error: unknown) => this.#texts.push(String(error)))
    if (first === 'worker') await sleep(500)
    await this.#plane()
    if (first === 'plane') this.#worker().catch((error: unknown) => this.#texts.push(String(error)))
    await this.#until('the plugin is listed', async () => {
      const { body } = await this.#rest('GET', '/connector-plugins')
      return Array.isArray(body) && body.length > 0
    })
    await this.#create('alo', {})
    await this.#create('eos', { 'exactly.once.support': 'required', 'transaction.boundary': 'poll' })
    const health = await this.#rest('GET', '/connectors/alo/health')
    assert.match(JSON.stringify(health.body), /"connected":true/)
    await this.#resetOffsets('eos')
    await this.#handOver()
    const answer = await this.#rest('POST', '/admin/keys', { name: 'ci', grants: 'viewer' })
    assert.equal(answer.status, 201, JSON.stringify(answer.body))
    if (alone) await this.#stopOthers(first)
    await this.#bringBack(deletes)
    if (alone) return
    for (const name of ['alo', 'eos']) {
      const { status } = await this.#rest('DELETE', `/connectors/${name}`)
      assert.equal(status, 204)
    }
  }

  async hasTopic(name: string): Promise<boolean> {
    const admin = new KafkaAdmin({ brokers: this.#broker.brokers, clientId: 'test' })
    try {
      return (await admin.describeTopics([name])).get(name) !== null
    } finally {
      await admin.close()
    }
  }

  async stop(): Promise<void> {
    this.#over = true
    await Promise.allSettled(this.#running.map((each) => each.stop()))
  }

  async #create(name: string, more: Props): Promise<void> {
    const topic = `${this.cluster}-out-${name}`
    const since = String(Date.now() - 1000)
    const config = { 'connector.class': COUNTERS, topic, logs: '1', since, 'tasks.max': '1', 'topic.creation.default.replication.factor': '1', 'topic.creation.default.partitions': '1', ...more } // prettier-ignore
    const { status, body } = await this.#rest('POST', '/connectors', { name, config })
    assert.equal(status, 201, JSON.stringify(body))
    await this.#until(`records of ${name}`, async () => {
      await this.#rest('GET', `/connectors/${name}/status`)
      return (await readEndOffset(this.#broker.brokers, topic).catch(() => 0n)) > 0n
    })
  }

  async #resetOffsets(name: string): Promise<void> {
    await this.#until(`offsets of ${name}`, async () => {
      const { body } = await this.#rest('GET', `/connectors/${name}/offsets`)
      return (body as { offsets: unknown[] }).offsets.length > 0
    })
    assert.equal((await this.#rest('PUT', `/connectors/${name}/stop`)).status, 204)
    await this.#until(`${name} has stopped and its offsets are reset`, async () => {
      const { status } = await this.#rest('DELETE', `/connectors/${name}/offsets`)
      return status === 200
    })
    assert.equal((await this.#rest('PUT', `/connectors/${name}/resume`)).status, 202)
  }

  /** The tasks move from the first worker to a second one. */
  async #handOver(): Promise<void> {
    const first = this.#running.find(({ isWorker }: Running & { isWorker?: boolean }) => isWorker === true)
    await this.#worker()
    await first?.stop()
    await this.#until('the tasks run on the second worker', async () => {
      const before = await readEndOffset(this.#broker.brokers, `${this.cluster}-out-eos`)
      const { body } = await this.#rest('GET', '/connectors/eos/status')
      await sleep(200)
      const after = await readEndOffset(this.#broker.brokers, `${this.cluster}-out-eos`)
      return after > before && /"state":"RUNNING".*"state":"RUNNING"/.test(JSON.stringify(body))
    })
  }

  async #stopOthers(first: 'plane' | 'worker'): Promise<void> {
    const isOther = ({ isWorker = false }: Running & { isWorker?: boolean }): boolean =>
      isWorker === (first === 'plane')
    await Promise.all(this.#running.filter(isOther).map((each) => each.stop()))
  }

  /** An internal topic is deleted. The services write it anew. */
  async #bringBack(topic: string): Promise<void> {
    const admin = new KafkaAdmin({ brokers: this.#broker.brokers, clientId: 'test' })
    try {
      const id = async (): Promise<string | undefined> => (await admin.describeTopics([topic])).get(topic)?.id
      const before = await id()
      await admin.deleteTopics([topic])
      await this.#until(`${topic} is back`, async () => {
        const now = await id()
        if (now === undefined || now === before) return false
        return (await admin.topicConfig(topic, ['min.compaction.lag.ms'])).get('min.compaction.lag.ms') === '0'
      })
    } finally {
      await admin.close()
    }
  }

  #until(what: string, condition: () => boolean | Promise<boolean>): Promise<boolean> {
    return until(what, () => {
      if (this.#over) throw new Error('the scene is over')
      return condition()
    })
  }

  async #rest(method: string, path: string, body?: unknown): Promise<Answer> {
    const answer = await send(this.#url, {
      method,
      path,
      body,
      headers: { authorization: `Basic ${btoa('admin:pw')}` },
    })
    this.#texts.push(JSON.stringify(answer.body))
    return answer
  }

  async #plane(): Promise<void> {
    const [users, grants] = [join(this.#folder, 'users'), join(this.#folder, 'grants')]
    await writeFile(users, 'admin: pw\n')
    await writeFile(grants, 'user.admin=admin\n')
    const access = { 'access.authentication': 'keys,basic', 'access.basic.file': users, 'access.grants.file': grants }
    const { settings, start } = controlPlane('0')
    const life = new AbortController()
    const plane = await start({
      settings: settings.parse({ ...this.#props(USERS.plane), 'rest.port': '0', ...access }),
      log: this.#log(),
      signal: life.signal,
      shutdown: this.#shutdown,
    })
    this.#running.push({ stop: () => this.#end(plane, life) })
    const address = await plane.restAddress()
    if (address === null) throw new Error('the control plane did not start')
    this.#url = `http://${address}`
  }

  async #worker(): Promise<void> {
    const host = '127.0.0.1'
    const log = this.#log()
    const admin = await startAdminServer({ host, port: 0, log, ready: () => true })
    const { settings, start } = connectWorker({ name: 'counters', version: '0', plugins: [countersSource] })
    const life = new AbortController()
    const props = { 'exactly.once.source.support': 'enabled', 'data.dir': join(this.#folder, String(admin.port)) }
    let worker: Running | null = null
    const stop = async (): Promise<void> => {
      if (worker === null) life.abort(new Error('the scene is over'))
      else await this.#end(worker, life)
      await admin.close()
    }
    this.#running.push(Object.assign({ stop }, { isWorker: true }))
    const started = await start({
      settings: settings.parse({ ...this.#props(USERS.worker), ...props }),
      log,
      signal: life.signal,
      admin: admin.app,
      address: `${host}:${admin.port}`,
      shutdown: this.#shutdown,
    })
    worker = started
    await admin.open()
    await this.#until('the worker is ready', () => started.ready() === true)
  }

  async #end(service: Running, life: AbortController): Promise<void> {
    const stopped = service.stop()
    life.abort(new Error('the scene is over'))
    await stopped
  }

  readonly #shutdown = (reason: string, error?: unknown): void => {
    this.#texts.push(`${reason} ${error instanceof Error ? error.message : String(error)}`)
  }

  #log(): ReturnType<typeof createLogger> {
    return createLogger({ name: 'scene', level: 'debug', stream: { write: (line) => this.#texts.push(line) } })
  }

  #props(user: string): Props {
    return {
      'kafka.brokers': this.#broker.sasl!.brokers.join(','),
      'kafka.sasl.mechanism': 'PLAIN',
      'kafka.sasl.username': user,
      'kafka.sasl.password': passwordOf(user),
      cluster: this.cluster,
      'offset.storage.partitions': '1',
      'status.storage.partitions': '1',
    }
  }
}
