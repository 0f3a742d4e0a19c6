import { startKafka, type KafkaAddresses } from './kafka-broker.ts'

let started: Promise<KafkaAddresses> | undefined

/**
 * The cluster that tests share. Each test uses its own names of topics and groups. No test stops or harms the cluster.
 *
 * - TRIBUTARY_TEST_KAFKA: KafkaAddresses as JSON. `npm test` passes on the broker that it started in this way.
 * - KAFKA_BROKERS: host:port, comma-separated, plaintext.
 * - Otherwise a broker that lives as long as this process.
 *
 * With `secure`, a cluster without secure listeners is not enough, and a new one is started.
 */
export async function sharedKafka(options: { readonly secure?: boolean } = {}): Promise<KafkaAddresses> {
  const given = givenKafka(process.env)
  if (given !== undefined && (options.secure !== true || given.sasl !== undefined)) return given
  started ??= startOwn()
  return await started
}

async function startOwn(): Promise<KafkaAddresses> {
  const broker = await startKafka({ secure: true })
  broker.unref()
  return broker
}

/** The cluster that the environment names, if any. Throws SyntaxError for a TRIBUTARY_TEST_KAFKA that is not JSON. */
export function givenKafka(env: Readonly<Record<string, string | undefined>>): KafkaAddresses | undefined {
  const shared = env['TRIBUTARY_TEST_KAFKA']
  if (shared !== undefined && shared !== '') return JSON.parse(shared) as KafkaAddresses
  const brokers = env['KAFKA_BROKERS']
  if (brokers === undefined || brokers === '') return undefined
  return { brokers: brokers.split(',').map((broker) => broker.trim()) }
}
