import { existsSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineConfig, fromEnv, kafkaConnection, kafkaRules, kafkaSettings } from '@tributary/config'
import { kafkaAnswers, startKafka } from '@tributary/harness'
import { KafkaAdmin } from '@tributary/kafka'
import { LaunchError } from './errors.ts'
import { freshLog, shortPath, type Places } from './places.ts'

export interface LocalKafka {
  /** host:port */
  readonly brokers: readonly string[]
  /** Where this Kafka comes from, in words for the user. */
  readonly origin: string
  /** Ends the broker if the launcher started it. */
  stop(): Promise<void>
  kill(): Promise<void>
}

/** The file that `npm run topic` reads. It exists while the launcher runs. */
export interface Running {
  readonly brokers: readonly string[]
}

export function readRunning(file: string): Running | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Running) : undefined
}

/** A demo may run for days and must not fill the disk. */
const properties = { 'log.retention.bytes': String(1024 ** 3), 'log.segment.bytes': String(64 * 1024 ** 2) }
const maxBackoffMs = 30_000

/** @returns the Kafka that KAFKA_BROKERS names, else a broker of the launcher's own, which is started again when it dies. */
export async function provideKafka(places: Places, say: (line: string) => void): Promise<LocalKafka> {
  const given = process.env['KAFKA_BROKERS']
  return given === undefined || given === '' ? await ownKafka(places, say) : await givenKafka(given)
}

async function givenKafka(brokers: string): Promise<LocalKafka> {
  const admin = new KafkaAdmin(connectionFrom(process.env), { timeoutMs: 5000 })
  try {
    await admin.describeCluster()
  } catch (cause) {
    throw new LaunchError(`Kafka at ${brokers} (KAFKA_BROKERS) does not answer: ${(cause as Error).message}`, { cause })
  } finally {
    await admin.close()
  }
  const nothing = async (): Promise<void> => undefined
  return { brokers: brokers.split(','), origin: 'as KAFKA_BROKERS says', stop: nothing, kill: nothing }
}

/** Reads the connection to Kafka from the variables that the services read too. */
export function connectionFrom(env: Readonly<Record<string, string | undefined>>): ReturnType<typeof kafkaConnection> {
  return kafkaConnection(fromEnv(defineConfig(kafkaSettings, { rules: kafkaRules }), env))
}

/** Two brokers cannot share a data folder, and the second would say so in its log only. */
async function refuseSecondStart({ running }: Places): Promise<void> {
  const broker = readRunning(running)?.brokers[0]
  if (broker === undefined || !(await kafkaAnswers(broker))) return
  throw new LaunchError(
    `Another \`npm start\` runs here, with Kafka at ${broker}: stop it, or set KAFKA_BROKERS=${broker} to use its Kafka, or TRIBUTARY_DATA_DIR to another folder.`,
  )
}

async function ownKafka(places: Places, say: (line: string) => void): Promise<LocalKafka> {
  await refuseSecondStart(places)
  const stopping = new AbortController()
  const logFile = freshLog(places, 'kafka')
  const broker = await startKafka({
    dataDir: places.kafka,
    logFile,
    properties,
    onFetch: (what) => say(`fetching ${what}, which is needed only once`),
    onUnexpectedExit: ({ code, signal }) => {
      say(`kafka ended (${signal ?? `exit code ${code}`}) and is started again; its log is ${shortPath(logFile)}`)
      void startAgain()
    },
  })
  const startAgain = async (): Promise<void> => {
    for (let waitMs = 500; !stopping.signal.aborted; waitMs = Math.min(waitMs * 2, maxBackoffMs)) {
      try {
        await sleep(waitMs, undefined, { signal: stopping.signal })
        await broker.start()
        return
      } catch (error) {
        if (!stopping.signal.aborted) say((error as Error).message)
      }
    }
  }
  return {
    brokers: broker.brokers,
    origin: broker.runtime === 'docker' ? 'in Docker' : 'on Java',
    stop: () => {
      stopping.abort()
      return broker.stop()
    },
    kill: () => {
      stopping.abort()
      return broker.kill()
    },
  }
}
