import { parseConfig, type Props } from '@tributary/connect-api'
import { type SqsConfig, sqsSpec } from './spec.ts'
import {
  CLAIM_CHECK_CONVERTER,
  DECOMPRESSING_CLAIM_CHECK_CONVERTER,
  DECOMPRESSING_CONVERTER,
  DEFAULT_CONVERTER,
} from './conversion.ts'

/** The class name of the JVM connector, under which a few defaults are its own. */
export const JVM_CLASS = 'io.connect.sqs.SqsSourceConnector'

export type Unmatched = 'keep' | 'delete' | 'dlq'

/** The settings with what follows from several keys already decided. */
export type SqsSettings = SqsConfig & {
  readonly 'sqs.mode': 'consume' | 'mirror'
  readonly 'sqs.filter.unmatched': Unmatched
  readonly 'sqs.message.filter.policy.scope': 'MessageAttributes' | 'MessageBody'
}

/**
 * Reads the settings. A blank text or secret is null where a key has no default, the keys of documents stand in for the keys that
 * they mean, and `sqs.filter.unmatched` is decided. Throws ConfigError with everything that is wrong with the single keys.
 */
export function readSettings(props: Props): SqsSettings {
  const config = withoutBlanks(parseConfig(sqsSpec, props))
  const policy = policyOf(config)
  const changes: Partial<Mutable<SqsConfig>> = {
    ...policy,
    ...convertersOf(config),
    'sqs.mode': config['sqs.mode'].toLowerCase(),
    'sqs.filter.unmatched': config['sqs.filter.unmatched']?.toLowerCase() ?? unmatchedByDefault(config, props),
    'message.claimcheck.field.path': config['message.claimcheck.field.path'] ?? config['claim.check.field.paths'],
    'dlq.topic': config['dlq.topic'] ?? (config['error.dlq.enabled'] ? config['error.dlq.topic'] : null),
  }
  const minutes = config['fifo.deduplication.time.window.minutes']
  if (minutes !== null && !isSet(props, 'sqs.fifo.deduplication.window.ms')) {
    changes['sqs.fifo.deduplication.window.ms'] = minutes * 60_000
  }
  return { ...config, ...changes } as SqsSettings
}

/** Whether the user gave a value for the key. */
export function isSet(props: Props, key: string): boolean {
  return Object.hasOwn(props, key) && props[key]!.trim() !== ''
}

/** Whether the configuration names the JVM connector. */
export function isJvmClass(props: Props): boolean {
  return props['connector.class']?.trim() === JVM_CLASS
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

function withoutBlanks(config: SqsConfig): SqsConfig {
  const entries = Object.entries(config).map(([name, value]) => {
    const optional = sqsSpec.data.keys[name]?.default === null
    const text = typeof value === 'object' && value !== null && 'reveal' in value ? value.reveal() : value
    return [name, optional && text === '' ? null : value] as const
  })
  return Object.fromEntries(entries) as unknown as SqsConfig
}

/** The JVM connector deletes what its policy excludes, but never read the policy of documents. */
function unmatchedByDefault(config: SqsConfig, props: Props): Unmatched {
  return isJvmClass(props) && config['sqs.message.filter.policy'] !== null ? 'delete' : 'keep'
}

function policyOf(config: SqsConfig): Partial<SqsConfig> {
  const scope = /^messagebody$/i.test(config['sqs.message.filter.policy.scope']) ? 'MessageBody' : 'MessageAttributes'
  if (!config['message.filtering.enabled'] || !config['message.filter.enabled']) {
    return { 'sqs.message.filter.policy': null, 'sqs.message.filter.policy.scope': scope }
  }
  const { 'sqs.message.filter.policy': policy, 'message.filter.policy': documented } = config
  if (policy === null && documented !== null) {
    return { 'sqs.message.filter.policy': documented, 'sqs.message.filter.policy.scope': 'MessageBody' }
  }
  return { 'sqs.message.filter.policy.scope': scope }
}

/** The class decides; the switches `….enabled`, which the JVM connector never read, add what the class leaves out. */
function convertersOf(config: SqsConfig): Partial<SqsConfig> {
  let converter = config['message.converter.class']
  let delegate = config['message.claimcheck.delegate.converter.class']
  const decompress = config['message.decompression.enabled']
  const redeems = converter === CLAIM_CHECK_CONVERTER || converter === DECOMPRESSING_CLAIM_CHECK_CONVERTER
  if ((config['message.claimcheck.enabled'] || config['claim.check.enabled']) && !redeems) {
    if (converter !== DEFAULT_CONVERTER) delegate = converter
    converter = CLAIM_CHECK_CONVERTER
  }
  if (decompress && converter === DEFAULT_CONVERTER) converter = DECOMPRESSING_CONVERTER
  if (decompress && converter === CLAIM_CHECK_CONVERTER && delegate === DEFAULT_CONVERTER) {
    delegate = DECOMPRESSING_CONVERTER
  }
  return { 'message.converter.class': converter, 'message.claimcheck.delegate.converter.class': delegate }
}
