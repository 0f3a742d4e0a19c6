import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import { type HttpServer, startHttpServer } from './http-server.ts'
import { javaRuntime } from './kafka-runtime.ts'
import { temporaryFolder } from './watchdog.ts'

export interface KafkaConnectOptions {
  /** host:port, plaintext. */
  readonly brokers: readonly string[]
  /** Group id and prefix of the internal topics `<group>-configs`, `-offsets`, `-status`. Default: a random one. */
  readonly group?: string
  /** Worker settings. They override the defaults. */
  readonly properties?: Readonly<Record<string, string>>
}

export interface KafkaConnect extends HttpServer {
  readonly group: string
}

/**
 * Starts a real Kafka Connect 3.9.1 worker with the file connectors. Resolves when its REST API answers. Needs Java.
 */
export async function startKafkaConnect(options: KafkaConnectOptions): Promise<KafkaConnect> {
  const runtime = await javaRuntime('3.9.1')
  const folder = temporaryFolder('connect')
  const port = await freePort()
  const group = options.group ?? `connect-${randomUUID().slice(0, 8)}`
  const properties: Record<string, string> = {
    'bootstrap.servers': options.brokers.join(','),
    'group.id': group,
    'config.storage.topic': `${group}-configs`,
    'offset.storage.topic': `${group}-offsets`,
    'status.storage.topic': `${group}-status`,
    'config.storage.replication.factor': '1',
    'offset.storage.replication.factor': '1',
    'status.storage.replication.factor': '1',
    'key.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'value.converter': 'org.apache.kafka.connect.json.JsonConverter',
    'offset.flush.interval.ms': '500',
    listeners: `http://127.0.0.1:${port}`,
    'rest.advertised.host.name': '127.0.0.1',
    // All plugins are on the class path, where `only_scan` finds them without a plugin folder.
    'plugin.discovery': 'only_scan',
    ...options.properties,
  }
  const file = join(folder, 'connect.properties')
  const text = Object.entries(properties).map(([key, value]) => `${key}=${value}\n`)
  await writeFile(file, text.join(''))

  const logFile = join(folder, 'connect.log')
  const line = runtime.program('connect-distributed', [file], { folder })
  const readyUrl = `http://127.0.0.1:${port}/connectors`
  const server = await startHttpServer({ ...line, what: 'Kafka Connect', readyUrl, timeoutMs: 90_000, logFile })
  return { ...server, group }
}
