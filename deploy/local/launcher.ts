import { randomUUID } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { isFree } from '@tributary/harness'
import { compileCacheIn } from '@tributary/service/boot'
import { ControlPlaneClient } from './control-plane-client.ts'
import * as demo from './demo.ts'
import { LaunchError } from './errors.ts'
import { provideKafka, type LocalKafka, type Running } from './kafka.ts'
import type { LaunchOptions } from './options.ts'
import type { Output } from './output.ts'
import { freshLog, instanceId, repository, shortPath, type Places } from './places.ts'
import { ServiceProcess } from './service-process.ts'
import { provideSqs, type LocalSqs } from './sqs.ts'

const pluginsTimeoutMs = 30_000
const liveEveryMs = 1000

/** Starts Kafka, the services and the demo in this order, and stops them in the reverse order. */
export class Launcher {
  readonly #options: LaunchOptions
  readonly #places: Places
  readonly #output: Output
  readonly #stopping = new AbortController()
  readonly #startedAt = performance.now()
  readonly #restPort = Number(process.env['TRIBUTARY_REST_PORT'] ?? 8083)
  /** -1: there is no operators' API. */
  readonly #operatorsPort = Number(process.env['TRIBUTARY_OPERATORS_PORT'] ?? 8080)
  #kafka: LocalKafka | undefined
  /** In the order in which they were started. */
  readonly #processes: ServiceProcess[] = []
  #sqs: LocalSqs | null = null
  #addresses: demo.DemoAddresses = { grpc: 0, ws: 0, sqs: null }

  constructor(options: LaunchOptions, places: Places, output: Output) {
    this.#options = options
    this.#places = places
    this.#output = output
  }

  /** Resolves after `stop` was called. Rejects when something cannot be started. */
  async run(): Promise<void> {
    if (this.#has('control-plane') && !this.#options.kafkaOnly) await this.#requirePorts()
    // Without Kafka there is nothing else to say, so SQS comes after it.
    await this.#startKafka()
    await this.#startSqs()
    if (this.#options.kafkaOnly) {
      this.#output.clearLive()
      this.#output.say(`ready after ${this.#seconds()} s. Ctrl-C stops it.`)
      await this.#untilStopped()
      return
    }
    await this.#startServices()
    const client = new ControlPlaneClient(`http://127.0.0.1:${this.#restPort}`)
    await this.#untilPluginsAreListed(client)
    this.#output.clearLive()
    this.#output.say('')
    this.#output.say(`ready ${this.#has('control-plane') ? `${client.url} ` : ''}after ${this.#seconds()} s`)
    if (this.#has('control-plane') && this.#operatorsPort > 0) {
      this.#output.say(`operators' API http://127.0.0.1:${this.#operatorsPort}`)
    }
    if (this.#options.demo) await this.#runDemo(client)
    this.#output.say(`Logs are in ${shortPath(this.#places.logs)}. Ctrl-C stops everything.`)
    this.#output.say('')
    if (this.#options.demo) await this.#showDemo(client)
    await this.#untilStopped()
  }

  /** Stops the services in the reverse order of starting, and Kafka last. */
  async stop(): Promise<void> {
    this.#stopping.abort(new LaunchError('Stopped.'))
    this.#output.endLive()
    for (const process of this.#processes.toReversed()) {
      this.#output.say(`stopping ${process.name}`)
      await process.stop()
    }
    if (this.#sqs !== null) {
      this.#output.say('stopping sqs')
      await this.#sqs.stop()
    }
    if (this.#kafka !== undefined) {
      this.#output.say('stopping kafka')
      await this.#kafka.stop()
      rmSync(this.#places.running, { force: true })
    }
  }

  /** Kills everything at once. */
  async kill(): Promise<void> {
    await Promise.all([...this.#processes.map((process) => process.kill()), this.#kafka?.kill(), this.#sqs?.kill()])
  }

  /** The demo's connectors whose services run and have something to read. */
  get #demos(): readonly demo.DemoConnector[] {
    return demo.demoConnectors.filter(({ service, config }) => this.#has(service) && config(this.#addresses) !== null)
  }

  #has(service: string): boolean {
    return this.#options.services.some(({ name }) => name === service)
  }

  async #requirePorts(): Promise<void> {
    const wanted = [
      { port: this.#restPort, what: 'the REST API', key: 'TRIBUTARY_REST_PORT' },
      { port: this.#operatorsPort, what: "the operators' API", key: 'TRIBUTARY_OPERATORS_PORT' },
    ]
    for (const { port, what, key } of wanted) {
      if (port <= 0 || (await isFree(port))) continue
      throw new LaunchError(
        `Port ${port} of ${what} is taken by another program: stop that one, or set ${key} to a free port.`,
      )
    }
  }

  async #startKafka(): Promise<void> {
    this.#output.live('starting kafka')
    const kafka = await provideKafka(this.#places, this.#output.say)
    if (this.#stopping.signal.aborted) return await kafka.stop()
    this.#kafka = kafka
    const { brokers, origin } = kafka
    this.#tell('kafka', `${brokers.join(',')} (${origin})`)
    writeFileSync(this.#places.running, JSON.stringify({ brokers } satisfies Running))
  }

  async #startSqs(): Promise<void> {
    if (!this.#options.demo || this.#options.kafkaOnly || !this.#has('sqs-ingest')) return
    const sqs = await provideSqs(this.#places, this.#output.say)
    if (this.#stopping.signal.aborted) return await sqs?.stop()
    this.#sqs = sqs
    if (sqs !== null) this.#tell('sqs', `${sqs.endpoint} (${sqs.origin})`)
  }

  async #startServices(): Promise<void> {
    this.#output.live(`starting ${this.#options.services.map(({ name }) => name).join(', ')}`)
    this.#addresses = { ...(await demo.feedPorts(this.#places)), sqs: this.#sqs }
    const env = this.#environment()
    for (const service of this.#options.services) {
      const replicas = this.#options.scale.get(service.name) ?? 1
      for (let replica = 1; replica <= replicas; replica++) {
        this.#stopping.signal.throwIfAborted()
        const name = replicas === 1 ? service.name : `${service.name}-${replica}`
        const entry = join(repository, 'apps', service.name, 'src', 'main.ts')
        const logFile = freshLog(this.#places, name)
        const instance = { TRIBUTARY_GROUP_INSTANCE_ID: instanceId(this.#places, name) }
        const process = new ServiceProcess({
          name,
          entry,
          env: { ...env, ...instance, ...(service.kind === 'demo' ? this.#feedEnvironment() : {}) },
          logFile,
          say: this.#output.say,
        })
        this.#processes.push(process)
        process.start()
      }
    }
    await Promise.all(
      this.#processes.map(async (process) => {
        await process.ready()
        this.#tell(process.name, process.address ?? '')
      }),
    )
  }

  #environment(): Record<string, string> {
    return {
      KAFKA_BROKERS: this.#kafka?.brokers.join(',') ?? '',
      TRIBUTARY_REST_PORT: String(this.#restPort),
      TRIBUTARY_OPERATORS_PORT: String(this.#operatorsPort),
      TRIBUTARY_DATA_DIR: join(this.#places.data, 'tasks'),
      // All is asked by http, and all is on loopback.
      ...{ TRIBUTARY_TLS_CERT: '', TRIBUTARY_TLS_KEY: '', TRIBUTARY_TLS_CLIENT_AUTH: '' },
      TRIBUTARY_INTERNAL_KEY: process.env['TRIBUTARY_INTERNAL_KEY'] ?? randomUUID(),
      ...this.#compileCache(),
      ...this.#configProviders(),
    }
  }

  /** One compile cache for all services, which they start twice as fast with. */
  #compileCache(): Record<string, string> {
    try {
      return { ...compileCacheIn(this.#places.data) }
    } catch (error) {
      this.#output.say(`The services start without a compile cache. ${(error as Error).message}`)
      return {}
    }
  }

  #feedEnvironment(): Record<string, string> {
    const { grpc, ws, sqs } = this.#addresses
    const keys = sqs?.keys ?? null
    return {
      TRIBUTARY_FEED_GRPC_PORT: String(grpc),
      TRIBUTARY_FEED_WS_PORT: String(ws),
      ...(sqs === null ? {} : { TRIBUTARY_FEED_SQS_ENDPOINT: sqs.endpoint, AWS_REGION: sqs.region }),
      ...(keys === null ? {} : { AWS_ACCESS_KEY_ID: keys.id, AWS_SECRET_ACCESS_KEY: keys.secret }),
    }
  }

  /** Unless the user has configured providers: files of one folder, and the file that the documents of Kafka connectors name. */
  #configProviders(): Record<string, string> {
    if (process.env['TRIBUTARY_CONFIG_PROVIDERS'] !== undefined) return {}
    const { secrets } = this.#places
    return {
      TRIBUTARY_CONFIG_PROVIDERS: 'file,dir',
      TRIBUTARY_CONFIG_PROVIDERS_FILE_PARAM_ALLOWED_PATHS: `${secrets},/etc/kafka/secrets.properties`,
      TRIBUTARY_CONFIG_PROVIDERS_DIR_PARAM_ALLOWED_PATHS: secrets,
    }
  }

  async #untilPluginsAreListed(client: ControlPlaneClient): Promise<void> {
    if (!this.#has('control-plane')) return
    const wanted = this.#options.services.flatMap(({ plugins }) => plugins)
    const deadline = Date.now() + pluginsTimeoutMs
    for (;;) {
      const listed = await client.plugins()
      const missing = wanted.filter((plugin) => !listed.includes(plugin))
      if (missing.length === 0) return
      if (Date.now() > deadline) {
        throw new LaunchError(`${client.url}/connector-plugins does not list ${missing.join(', ')}.`)
      }
      await sleep(50, undefined, { signal: this.#stopping.signal })
    }
  }

  async #runDemo(client: ControlPlaneClient): Promise<void> {
    for (const { name, source, topic, config } of this.#demos) {
      const outcome = await client.putConnector(name, config(this.#addresses) ?? {})
      this.#output.say(`Connector ${name} ${outcome}: ${source} into the topic ${topic}.`)
    }
    this.#output.say('')
    for (const { name, topic } of this.#demos) {
      this.#output.say(`  npm run topic -- ${topic}`)
      this.#output.say(`  curl ${client.url}/connectors/${name}/status`)
    }
    this.#output.say('')
  }

  async #showDemo(client: ControlPlaneClient): Promise<void> {
    for (let turn = 0; !this.#stopping.signal.aborted; turn++) {
      const { name } = this.#demos[turn % this.#demos.length]!
      const health = await client.health(name)
      if (!this.#stopping.signal.aborted) this.#output.live(demo.liveLine(name, health))
      await sleep(liveEveryMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
    }
  }

  #tell(name: string, what: string): void {
    this.#output.say(`  ${name.padEnd(16)} ${what}`)
  }

  #seconds(): string {
    return ((performance.now() - this.#startedAt) / 1000).toFixed(1)
  }

  /** Keeps this process alive, because nothing else may do so: with KAFKA_BROKERS set and no service there is no child. */
  async #untilStopped(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await sleep(60_000, undefined, { signal: this.#stopping.signal }).catch(() => undefined)
    }
  }
}
