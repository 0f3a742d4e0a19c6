import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { makeCertificates, type Certificates } from './certificates.ts'
import { startChild, type Child, type Exit } from './child.ts'
import { HarnessError } from './errors.ts'
import { freePort, isFree } from './free-port.ts'
import { kafkaAnswers } from './kafka-answers.ts'
import { saslUser, serverProperties, type KafkaPorts } from './kafka-properties.ts'
import { kafkaRuntime, runProgram, type KafkaRuntime, type KafkaVersion } from './kafka-runtime.ts'
import { temporaryFolder } from './watchdog.ts'

const startTimeoutMs = 60_000

export interface KafkaOptions {
  /**
   * This folder is kept after the end. The next start uses it again, with the same ports. Default: a temporary folder.
   */
  readonly dataDir?: string
  /** Port of the plaintext listener. Default: a free one. */
  readonly port?: number
  /** Adds listeners with SASL, with SASL over TLS, and with TLS and client certificates. */
  readonly secure?: boolean
  /**
   * Address (host:port) of a proxy that clients must use: the plaintext listener advertises this address instead of its
   * own. The broker then has a second plaintext listener, `direct`, whose clients avoid the proxy.
   */
  readonly proxy?: string
  /** Added to server.properties. */
  readonly properties?: Readonly<Record<string, string>>
  /** Default: 3.9.1. */
  readonly version?: KafkaVersion
  /** Default: `kafka.log` in the data folder. */
  readonly logFile?: string
  /** Called before something is fetched that this machine does not have, with its name: `Kafka's image`. */
  readonly onFetch?: (what: string) => void
  /** Called when the broker ends although neither stop nor kill was called. */
  readonly onUnexpectedExit?: (exit: Exit) => void
}

/** The addresses of a cluster. Lists contain host:port. */
export interface KafkaAddresses {
  /** The plaintext listeners. */
  readonly brokers: readonly string[]
  /** The listener that avoids the proxy, of a broker with a proxy. */
  readonly direct?: readonly string[]
  /** PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512, all with the same user. */
  readonly sasl?: {
    readonly brokers: readonly string[]
    /** The same mechanisms over TLS, with the CA of `tls`. */
    readonly tlsBrokers: readonly string[]
    readonly username: string
    readonly password: string
  }
  /** TLS that requires a client certificate. Paths of PEM files. */
  readonly tls?: {
    readonly brokers: readonly string[]
    readonly ca: string
    readonly cert: string
    readonly key: string
  }
}

export interface KafkaBroker extends KafkaAddresses {
  readonly dataDir: string
  readonly logFile: string
  /** Undefined while the broker is not running. With Docker, the pid of the client process. */
  readonly pid: number | undefined
  /** Whether the broker runs in Docker or on Java. */
  readonly runtime: 'docker' | 'java'
  /** kill -9. Resolves when the broker is gone. */
  kill(): Promise<void>
  /** Starts the broker again, on the same ports and data. Resolves when it answers. */
  start(): Promise<void>
  /** Lets this process end while the broker runs. The broker ends then, too. */
  unref(): void
  /** Stops the broker in order. Resolves when it is gone; `start` may follow. */
  stop(): Promise<void>
}

/**
 * Starts a new broker on the loopback address and resolves when it answers. Ignores KAFKA_BROKERS (`sharedKafka` does
 * not). Throws HarnessError, one sentence, when Kafka is unavailable or does not start.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<KafkaBroker> {
  const version = options.version ?? '3.9.1'
  const runtime = await kafkaRuntime(version, options.onFetch)
  const dataDir = options.dataDir ?? temporaryFolder('kafka')
  await mkdir(dataDir, { recursive: true, mode: 0o700 })
  const logFile = options.logFile ?? join(dataDir, 'kafka.log')
  const ports = await choosePorts(dataDir, options)
  const certificates = options.secure === true ? await makeCertificates(dataDir) : undefined
  const logDir = join(dataDir, 'log')
  const propertiesFile = join(dataDir, 'server.properties')
  const extra = options.properties ?? {}
  const text = { ports, bindAddress: runtime.bindAddress, logDir, proxy: options.proxy, extra }
  await writeFile(propertiesFile, serverProperties(certificates === undefined ? text : { ...text, certificates }), {
    mode: 0o600,
  })
  await format(runtime, dataDir, propertiesFile, logDir)

  let child: Child | undefined
  let container = ''
  const broker: KafkaBroker = {
    ...addresses(ports, certificates),
    dataDir,
    logFile,
    runtime: runtime.kind,
    get pid() {
      return child?.exit === undefined ? child?.pid : undefined
    },
    async start() {
      if (broker.pid !== undefined) return
      container = `tributary-kafka-${ports.plaintext}-${randomUUID().slice(0, 8)}`
      const published = Object.values<number | undefined>({ ...ports, controller: undefined })
      const program = runtime.program('kafka-server-start', [propertiesFile], {
        folder: dataDir,
        ports: published.filter((port) => port !== undefined),
        name: container,
        heapMb: 512,
      })
      const started = await startChild({ ...program, logFile })
      child = started
      await untilAnswers(started, broker)
      void started.exited.then((exit) => {
        if (child === started) options.onUnexpectedExit?.(exit)
      })
    },
    async kill() {
      const killed = child
      child = undefined
      if (killed !== undefined) await runtime.killByName(container)
      await killed?.kill()
    },
    unref: () => child?.unref(),
    async stop() {
      const stopped = child
      child = undefined
      await stopped?.stop()
      // A container survives the SIGKILL of its client.
      if (stopped !== undefined) await runtime.killByName(container)
    },
  }
  await broker.start()
  return broker
}

function addresses(ports: KafkaPorts, certificates: Certificates | undefined): KafkaAddresses {
  const at = (port: number): string[] => [`127.0.0.1:${port}`]
  const plain = {
    brokers: at(ports.plaintext),
    ...(ports.direct === undefined ? {} : { direct: at(ports.direct) }),
  }
  if (certificates === undefined || ports.sasl === undefined) return plain
  if (ports.saslTls === undefined || ports.tls === undefined) return plain
  const { ca, clientCert, clientKey } = certificates
  return {
    ...plain,
    sasl: { brokers: at(ports.sasl), tlsBrokers: at(ports.saslTls), ...saslUser },
    tls: { brokers: at(ports.tls), ca, cert: clientCert, key: clientKey },
  }
}

/** The ports of the data folder's last start if they are free, so that a user finds Kafka at the same address. */
async function choosePorts(dataDir: string, options: KafkaOptions): Promise<KafkaPorts> {
  const file = join(dataDir, 'ports.json')
  const last = existsSync(file)
    ? (JSON.parse(await readFile(file, 'utf8')) as Partial<Record<keyof KafkaPorts, number>>)
    : {}
  const choose = async (name: keyof KafkaPorts): Promise<number> => {
    const port = last[name]
    return port !== undefined && (await isFree(port)) ? port : await freePort()
  }
  const ports: KafkaPorts = {
    plaintext: options.port ?? (await choose('plaintext')),
    controller: await choose('controller'),
    ...(options.secure === true
      ? { sasl: await choose('sasl'), saslTls: await choose('saslTls'), tls: await choose('tls') }
      : {}),
    ...(options.proxy === undefined ? {} : { direct: await choose('direct') }),
  }
  await writeFile(file, JSON.stringify(ports), { mode: 0o600 })
  return ports
}

async function format(runtime: KafkaRuntime, dataDir: string, propertiesFile: string, logDir: string): Promise<void> {
  if (existsSync(join(logDir, 'meta.properties'))) return
  const clusterId = randomUUID().replaceAll('-', '').slice(0, 22)
  const scram = ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
    '--add-scram',
    `${mechanism}=[name=${saslUser.username},password=${saslUser.password}]`,
  ])
  const args = ['format', '--cluster-id', clusterId, '--config', propertiesFile, ...scram]
  await runProgram('kafka-storage', runtime.program('kafka-storage', args, { folder: dataDir }))
}

async function untilAnswers(child: Child, broker: KafkaBroker): Promise<void> {
  const deadline = Date.now() + startTimeoutMs
  const address = broker.brokers[0] ?? ''
  while (!(await kafkaAnswers(address))) {
    if (child.exit !== undefined) {
      throw new HarnessError(
        `Kafka ended while it started (exit code ${child.exit.code}); its log is ${broker.logFile}.`,
      )
    }
    if (Date.now() > deadline) {
      await child.kill()
      throw new HarnessError(`Kafka did not answer within ${startTimeoutMs / 1000} s; its log is ${broker.logFile}.`)
    }
    await sleep(50)
  }
}
