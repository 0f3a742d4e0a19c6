import { type ConfigError, type FieldError, commonErrors, type Props } from '@tributary/connect-api'
import type { Compression, PooledProducerOptions } from '@tributary/kafka-producer'
import { producerSecurity, SECURITY_NAMES } from './producer-security.ts'

/** What a task's producer is made with: `producer.override.*` of the connector before `producer.*` of the worker (KIP-458). */
export interface ProducerSettings {
  readonly options: PooledProducerOptions
  readonly clientId: string | null
  /** Settings that ask for less than every producer here does, each as a sentence. */
  readonly raised: readonly string[]
  readonly errors: readonly FieldError[]
}

const OVERRIDE = 'producer.override.'
const MAX_INT = 2_147_483_647
const CODECS: readonly string[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] satisfies Compression[]

/** Kafka's settings that are honoured, with the least and the greatest value (producer configs of Kafka 3.9). */
const NUMBERS = {
  'linger.ms': [0, MAX_INT],
  'batch.size': [0, MAX_INT],
  'max.request.size': [1, MAX_INT],
  'request.timeout.ms': [1, MAX_INT],
  'retry.backoff.ms': [1, MAX_INT],
  'transaction.timeout.ms': [1, MAX_INT],
  'buffer.memory': [0, Number.MAX_SAFE_INTEGER],
} as const

/**
 * Kafka's settings whose weaker values are raised: value → true if every producer here does just that. A worker of Kafka Connect
 * sets the same values unless a connector overrides them (Worker.baseProducerConfigs).
 */
const AT_LEAST: Readonly<Record<string, { readonly is: RegExp; readonly does: string }>> = {
  acks: { is: /^(all|-1)$/, does: 'acks=all, as a record counts as delivered once every in-sync replica has it' },
  'enable.idempotence': { is: /^true$/i, does: 'enable.idempotence=true, so that a retry writes no record twice' },
  retries: { is: new RegExp(`^${MAX_INT}$`), does: 'as many retries as an outage takes' },
  'delivery.timeout.ms': {
    is: new RegExp(`^${MAX_INT}$`),
    does: 'retries until Kafka has the record, or the task is stopped',
  },
  'max.block.ms': { is: /^9223372036854775807$/, does: 'as much time to reach Kafka as an outage takes' },
  'max.in.flight.requests.per.connection': { is: /^1$/, does: 'one request in flight for each partition, which keeps the order' }, // prettier-ignore
}

/** Why the others are refused, where more can be said than that there is no such setting. */
const REFUSED: Readonly<Record<string, string>> = {
  'retry.backoff.max.ms': 'the wait grows to ten times retry.backoff.ms',
  'transactional.id': 'the worker chooses it, so that it can fence former owners of the task',
  'bootstrap.servers': "records go to the worker's Kafka",
  'partitioner.class': "records with a key are placed as by Kafka's default partitioner",
  'key.serializer': 'set key.converter instead',
  'value.serializer': 'set value.converter instead',
}

/**
 * Reads the settings. Every `producer.override.*` is honoured, raised with a sentence, or an error: none is ignored. `ownKeys`: keys
 * of the connector that are settings of its producer under Kafka's names (`SourcePlugin.producerKeys`).
 */
export function producerSettings(props: Props, ownKeys: readonly string[] = []): ProducerSettings {
  const errors: FieldError[] = []
  const raised: string[] = []
  const field = (name: string): string => (`${OVERRIDE}${name}` in props ? `${OVERRIDE}${name}` : `producer.${name}`)
  const text = (name: string): string | undefined => props[field(name)]?.trim() || undefined
  const number = (name: keyof typeof NUMBERS): number | undefined => {
    const value = text(name)
    const [min, max] = NUMBERS[name]
    if (value === undefined) return undefined
    if (/^\d+$/.test(value) && Number(value) >= min && Number(value) <= max) return Number(value)
    const message = `Invalid value ${value} for configuration ${field(name)}: Value must be a whole number from ${min} to ${max}`
    errors.push({ field: field(name), message })
    return undefined
  }
  const compression = text('compression.type')?.toLowerCase()
  if (compression !== undefined && !CODECS.includes(compression)) {
    const message = `Invalid value ${compression} for configuration ${field('compression.type')}: String must be one of: ${CODECS.join(', ')}`
    errors.push({ field: field('compression.type'), message })
  }
  for (const [name, { is, does }] of Object.entries(AT_LEAST)) {
    const value = text(name)
    if (value !== undefined && !is.test(value))
      raised.push(`${field(name)}=${value} is raised: the producer has ${does}`)
  }
  for (const key of Object.keys(props)) if (key.startsWith(OVERRIDE)) errors.push(...refusal(key))

  // Only checked here: it bounds what is in flight (source-task-config.ts).
  number('buffer.memory')
  const batchSize = number('batch.size')
  const bytes = [number('max.request.size'), batchSize === 0 ? 1 : batchSize].filter((limit) => limit !== undefined)
  const security = producerSecurity(props, ownKeys)
  errors.push(...security.errors)
  const options = {
    security: security.settings,
    compression: compression as Compression | undefined,
    maxRequestBytes: bytes.length === 0 ? undefined : Math.min(...bytes),
    lingerMs: number('linger.ms'),
    requestTimeoutMs: number('request.timeout.ms'),
    retryBackoffMs: number('retry.backoff.ms'),
    transactionTimeoutMs: number('transaction.timeout.ms'),
  }
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  return { options: Object.fromEntries(given), clientId: text('client.id') ?? null, raised, errors }
}

/** The ConfigError for the first of the errors; null without one. */
export function firstProducerError({ errors }: ProducerSettings): ConfigError | null {
  const first = errors[0]
  return first === undefined ? null : commonErrors.CONFIG_INVALID(first.message, { field: first.field })
}

const HONOURED: readonly string[] = [
  'compression.type',
  'client.id',
  ...Object.keys(NUMBERS),
  ...Object.keys(AT_LEAST),
  ...SECURITY_NAMES,
]

function refusal(key: string): FieldError[] {
  const name = key.slice(OVERRIDE.length)
  if (HONOURED.includes(name)) return []
  const reason = Object.hasOwn(REFUSED, name) ? REFUSED[name] : undefined
  const why = reason ?? `the producer has the settings ${HONOURED.join(', ')}`
  return [{ field: key, message: `${key} cannot be honoured: ${why}` }]
}
