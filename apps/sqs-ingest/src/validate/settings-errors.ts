import { ConfigError, type FieldError, type Props } from '@tributary/connect-api'
import { isAws } from '../aws/settings.ts'
import { createConverter } from '../convert/converter.ts'
import { dataMaker } from '../convert/data.ts'
import { messageFilter } from '../filter/message-filter.ts'
import { isFifo, listOf, queueEntry, queueTexts } from '../queues/queue-name.ts'
import { fifoReturnError } from '../queues/returning.ts'
import { isJvmClass, isSet, type SqsSettings } from '../settings/read.ts'

type Key = keyof SqsSettings

/** What is wrong with the settings together, as the spec cannot say; each error on its key. Uses no network. */
export function settingsErrors(config: SqsSettings, props: Props): FieldError[] {
  return [
    ...queueErrors(config, props),
    ...credentialErrors(config),
    ...endpointErrors(config),
    ...thrown('message.converter.class', () => createConverter(config, { s3: unused })),
    ...thrown('message.converter.class', () => dataMaker(config, props)),
    ...thrown('sqs.message.filter.policy', () => messageFilter(config, { quotas: !isJvmClass(props) })),
    ...deadLetterErrors(config),
  ]
}

function invalid(field: string, value: string | null, reason: string): FieldError {
  return { field, message: `Invalid value ${value} for configuration ${field}: ${reason}` }
}

/** The key that names the queues. */
export function queueKey(config: SqsSettings): 'sqs.queue.urls' | 'sqs.queue.url' | 'sqs.queue.name.prefix' {
  if (listOf(config['sqs.queue.urls']).length > 0) return 'sqs.queue.urls'
  return config['sqs.queue.url'] === null ? 'sqs.queue.name.prefix' : 'sqs.queue.url'
}

const FORMS =
  'a queue is named by its URL, as https://sqs.eu-west-1.amazonaws.com/123456789012/orders, its name or its ARN'

function queueErrors(config: SqsSettings, props: Props): FieldError[] {
  const key = queueKey(config)
  const errors: FieldError[] = []
  if (isSet(props, 'sqs.queue.urls') && key !== 'sqs.queue.urls') {
    errors.push(
      invalid('sqs.queue.urls', props['sqs.queue.urls']!, 'sqs.queue.urls must contain at least one valid URL'),
    )
  }
  for (const prefix of listOf(config['sqs.queue.name.prefix'])) {
    if (!/^[A-Za-z0-9_-]{1,80}$/.test(prefix)) {
      errors.push(invalid('sqs.queue.name.prefix', prefix, 'names of queues have letters, digits, - and _'))
    }
  }
  const own = config['aws.endpoint.override'] !== null
  const named = new Map<string, string>()
  for (const text of queueTexts(config['sqs.queue.urls'], config['sqs.queue.url'])) {
    const entry = queueEntry(text)
    if (entry === null) {
      errors.push(invalid(key, config[key], `Invalid SQS queue URL format: ${text}; ${FORMS}`))
      continue
    }
    const { name, region } = entry
    // Two URLs may have the same name in two accounts. A mere name beside either would give a queue two readers.
    const other = named.get(name)
    if (other !== undefined && (other === name || text === name)) {
      const remedy = 'write its URL, once'
      errors.push(invalid(key, config[key], `${other} and ${text} may name the same queue: ${remedy}`))
    }
    named.set(name, text)
    if (region !== null && region !== config['aws.region'] && !own) {
      errors.push(invalid('aws.region', config['aws.region'], `the queue ${text} is in ${region}`))
    }
    const refused = fifoReturnError({ name, fifo: isFifo(name, config) }, config)
    if (refused !== null) errors.push({ field: refused.field!, message: refused.message })
  }
  return errors
}

/** Each key with what it cannot do without. */
const NEEDS: readonly (readonly [Key, Key])[] = [
  ['aws.access.key.id', 'aws.secret.access.key'],
  ['aws.secret.access.key', 'aws.access.key.id'],
  ['aws.session.token', 'aws.access.key.id'],
]

function credentialErrors(config: SqsSettings): FieldError[] {
  return NEEDS.filter(([key, needs]) => config[key] !== null && config[needs] === null).map(([key, needs]) => ({
    field: needs,
    message: `Missing required configuration "${needs}", which is needed when "${key}" is set.`,
  }))
}

function endpointErrors(config: SqsSettings): FieldError[] {
  const endpoint = config['aws.endpoint.override']
  const host = URL.parse(endpoint ?? '')?.hostname ?? ''
  if (endpoint === null || !isAws(endpoint) || !/(?:^|\.)s3[.-]/.test(host)) return []
  const reason = 'this is an endpoint of S3, and SQS would be asked there too: set aws.s3.endpoint.override instead'
  return [invalid('aws.endpoint.override', endpoint, reason)]
}

function deadLetterErrors(config: SqsSettings): FieldError[] {
  if (config['sqs.message.filter.policy'] === null || config['sqs.filter.unmatched'] !== 'dlq') return []
  if (config['dlq.topic'] !== null) return []
  const message = 'Missing required configuration "dlq.topic", which is needed when "sqs.filter.unmatched" is dlq.'
  return [{ field: 'dlq.topic', message }]
}

function thrown(otherwise: Key, make: () => unknown): FieldError[] {
  try {
    make()
    return []
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return [{ field: error.field ?? otherwise, message: error.message }]
  }
}

function unused(): never {
  throw new Error('a check of settings asks nothing of S3')
}
