import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import {
  type AwsServer,
  cacheFolder,
  type KafkaVersion,
  kafkaVersions,
  startApicurio,
  startElasticMq,
  startKafka,
  startMoto,
} from '@tributary/harness'
import { compileCacheIn } from '@tributary/service/boot'
import { runStages, type RunningKafka } from './runner/run-stages.ts'
import { needsKafka } from './runner/stage.ts'
import { stages } from './runner/stages.ts'
import { summary } from './runner/summary.ts'
import { skips } from './skips.ts'

/**
 * `npm test`: every stage, and a summary. Exit code 0 only if all of them ran tests and none failed.
 *
 *   npm test -- --only unit,integration    these stages
 *   npm test -- --quick                    the stages that need nothing but Node, in less than 3 minutes
 *   npm test -- --long                     crash and fuzz tests at full length (TRIBUTARY_TEST_LONG=1)
 *   npm test -- --kafka 4.2.0              the run's broker in this version, one of the harness' (3.9.1)
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    kafka: { type: 'string', default: '3.9.1' },
  },
})

const version = kafkaVersions.find((known) => known === values.kafka)
if (version === undefined) {
  console.error(`no Kafka ${values.kafka}; there are ${kafkaVersions.join(', ')}`)
  process.exit(1)
}

const only = values.only?.split(',')
const unknown = only?.filter((name) => !stages.some((stage) => stage.name === name)) ?? []
if (unknown.length > 0) {
  console.error(`no stage ${unknown.join(', ')}; there are ${stages.map(({ name }) => name).join(', ')}`)
  process.exit(1)
}

// Brokers of tests live for seconds or minutes. Without C2 the start and the stop of a broker take 3.4 instead of 5.9 s
// of CPU.
process.env['KAFKA_JVM_PERFORMANCE_OPTS'] ??= '-XX:TieredStopAtLevel=1 -XX:+UseSerialGC'

// The services of the tests share a compile cache, as those of an installation do, though each has a data folder of its own.
Object.assign(process.env, compileCacheIn(cacheFolder))

const interrupted = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => interrupted.abort(new Error(`interrupted by ${signal}`)))
}

/** The servers that stages share: a broker, two of AWS's services, and a schema registry. */
async function servers(version: KafkaVersion): Promise<RunningKafka> {
  const running = await Promise.all([
    kafka(version),
    aws('TRIBUTARY_TEST_ELASTICMQ', startElasticMq),
    aws('TRIBUTARY_TEST_MOTO', startMoto),
    optional(async () => {
      const { registryUrl, stop } = await startApicurio()
      return { env: { TRIBUTARY_TEST_SCHEMA_REGISTRY: registryUrl }, stop }
    }),
  ])
  return {
    env: Object.assign({}, ...running.map(({ env }) => env)) as NodeJS.ProcessEnv,
    stop: async () => {
      await Promise.all(running.map((server) => server.stop()))
    },
  }
}

/**
 * One broker for all stages. KAFKA_BROKERS is not used, because that cluster may be in use. To test on another broker,
 * give its addresses as TRIBUTARY_TEST_KAFKA (see KafkaAddresses of the harness).
 */
async function kafka(version: KafkaVersion): Promise<RunningKafka> {
  const given = process.env['TRIBUTARY_TEST_KAFKA']
  if (given !== undefined && given !== '') return { env: {}, stop: () => Promise.resolve() }
  const broker = await startKafka({ secure: true, version })
  const { brokers, sasl, tls } = broker
  console.log(`Kafka answers at ${brokers.join(',')}, its log is ${broker.logFile}`)
  return {
    env: { TRIBUTARY_TEST_KAFKA: JSON.stringify({ brokers, sasl, tls }), KAFKA_BROKERS: brokers.join(',') },
    stop: () => broker.stop(),
  }
}

function aws(variable: string, start: () => Promise<AwsServer>): Promise<RunningKafka> {
  return optional(async () => {
    const { url, region, accountId, stop } = await start()
    return { env: { [variable]: JSON.stringify({ url, region, accountId }) }, stop }
  })
}

/** A server without which the tests that need it fail, each by itself and in the server's own words, and no others. */
async function optional(start: () => Promise<RunningKafka>): Promise<RunningKafka> {
  try {
    return await start()
  } catch (error) {
    console.error(error)
    return { env: {}, stop: () => Promise.resolve() }
  }
}

const startedAt = performance.now()
const results = await runStages(
  stages.filter((stage) => (only?.includes(stage.name) ?? true) && !(values.quick && needsKafka(stage))),
  {
    cwd: resolve(import.meta.dirname, '..'),
    env: { ...process.env, NX_DAEMON: 'false', ...(values.long ? { TRIBUTARY_TEST_LONG: '1' } : {}) },
    skips,
    // Less than the hour that CI allows, so that a run that hangs still reports where.
    limitMin: values.long ? 24 * 60 : 50,
    timeoutFactor: values.long ? 20 : 1,
    // The harness' watchdog gives a child 8 s to end after its test.
    leftoverGraceMs: 12_000,
    idleFileMs: values.long ? 1_200_000 : 120_000,
    signal: interrupted.signal,
    startKafka: () => servers(version),
  },
)
console.log(summary(results, skips, performance.now() - startedAt))
// The run does not wait for the harness' watchdog and other processes.
process.exit(results.some(({ failed }) => failed > 0) ? 1 : 0)
