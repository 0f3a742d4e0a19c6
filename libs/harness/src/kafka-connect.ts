import { randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startChild } from './child.ts'
import { HarnessError } from './errors.ts'
import { freePort } from './free-port.ts'
import { javaRuntime } from './kafka-runtime.ts'
import { temporaryFolder } from './watchdog.ts'

const startTimeoutMs = 90_000

export interface KafkaConnectOptions {
  /** host:port, plaintext. */
  readonly brokers: readonly string[]
  /** Group id and prefix of the internal topics `<group>-configs`, `-offsets`, `-status`. Default: a random one. */
  readonly group?: string
  /** Worker settings. They override the defaults. */
  readonly properties?: Readonly<Record<string, string>>
}

export interface KafkaConnect {
  /** `http://127.0.0.1:port` */
  readonly url: string
  readonly group: string
  readonly logFile: string
  readonly pid: number
  kill(): Promise<void>
  stop(): Promise<void>
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
  const child = await startChild({ ...runtime.program('connect-distributed', [file], { folder }), logFile })
  const url = `http://127.0.0.1:${port}`
  const deadline = Date.now() + startTimeoutMs
  while (!(await answers(`${url}/connectors`))) {
    if (child.exit !== undefined) {
      throw new HarnessError(
        `Kafka Connect ended while it started (exit code ${child.exit.code}); its log is ${logFile}.`,
      )
    }
    if (Date.now() > deadline) {
      await child.kill()
      throw new HarnessError(`Kafka Connect did not answer within ${startTimeoutMs / 1000} s; its log is ${logFile}.`)
    }
    await sleep(100)
  }
  return { url, group, logFile, pid: child.pid, kill: () => child.kill(), stop: () => child.stop() }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(5000) })).ok
  } catch {
    return false // not listening yet
  }
}
