import { internalTopic } from '@tributary/config'
import { commonErrors, type Props, requiresExactlyOnce } from '@tributary/connect-api'

export type Tolerance = 'none' | 'all'
const TRANSACTION_BOUNDARIES = ['interval', 'poll', 'connector'] as const
export type TransactionBoundaryKind = (typeof TRANSACTION_BOUNDARIES)[number]

/** The part of a source task's configuration that the runtime reads. Most keys are Kafka Connect's. */
export interface SourceTaskConfig {
  readonly tolerance: Tolerance
  readonly logErrors: boolean
  readonly logErrorMessages: boolean
  /** Time in ms to retry a transformation or converter after a retriable error; -1: no limit. */
  readonly retryTimeoutMs: number
  readonly retryDelayMaxMs: number
  readonly deadLetterTopic: string | null
  readonly deadLetterReplication: number
  readonly deadLetterHeaders: boolean
  readonly topicCreation: boolean
  readonly exactlyOnce: boolean
  readonly transactionBoundary: TransactionBoundaryKind
  readonly transactionIntervalMs: number
  readonly shutdownTimeoutMs: number
  readonly commitIntervalMs: number
  readonly maxInFlightRecords: number
  /** `max.in.flight.bytes`, else Kafka's `buffer.memory` for the connector or the worker. */
  readonly maxInFlightBytes: number
}

const MIB = 1024 * 1024

/** Reads the runtime's keys. `props` holds the worker's defaults already. Throws ConfigError. */
export function sourceTaskConfig(props: Props): SourceTaskConfig {
  const text = (key: string): string | undefined => props[key]?.trim()
  const number = (key: string, fallback: number): number => {
    const value = text(key)
    if (value === undefined || value === '') return fallback
    if (!/^-?\d+$/.test(value)) {
      throw commonErrors.CONFIG_INVALID(`Invalid value ${value} for configuration ${key}: Not a number of type LONG`, {
        field: key,
      })
    }
    return Number(value)
  }
  const flag = (key: string, fallback: boolean): boolean => {
    const value = text(key)?.toLowerCase()
    return value === undefined || value === '' ? fallback : value === 'true'
  }
  const boundaryText = text('transaction.boundary') ?? 'poll'
  const boundary = TRANSACTION_BOUNDARIES.find((kind) => kind === boundaryText.toLowerCase())
  if (boundary === undefined) {
    throw commonErrors.CONFIG_INVALID(
      `Invalid value ${boundaryText} for configuration transaction.boundary: String must be one of (case insensitive): INTERVAL, POLL, CONNECTOR`,
      { field: 'transaction.boundary' },
    )
  }
  const deadLetterTopic = text('errors.deadletterqueue.topic.name') || null
  const refused = deadLetterTopic && internalTopic(deadLetterTopic)
  if (refused) {
    const key = 'errors.deadletterqueue.topic.name'
    throw commonErrors.CONFIG_INVALID(`Invalid value ${deadLetterTopic} for configuration ${key}: ${refused}`, { field: key }) // prettier-ignore
  }
  const bufferMemory = number('producer.override.buffer.memory', number('producer.buffer.memory', 8 * MIB))
  const commitIntervalMs = number('offset.commit.interval.ms', 100)
  return {
    tolerance: text('errors.tolerance')?.toLowerCase() === 'all' ? 'all' : 'none',
    logErrors: flag('errors.log.enable', false),
    logErrorMessages: flag('errors.log.include.messages', false),
    retryTimeoutMs: number('errors.retry.timeout', 0),
    retryDelayMaxMs: number('errors.retry.delay.max.ms', 60_000),
    deadLetterTopic,
    deadLetterReplication: number('errors.deadletterqueue.topic.replication.factor', -1),
    deadLetterHeaders: flag('errors.deadletterqueue.context.headers.enable', true),
    topicCreation: flag('topic.creation.enable', true),
    exactlyOnce: requiresExactlyOnce(props),
    transactionBoundary: boundary,
    transactionIntervalMs: number('transaction.boundary.interval.ms', commitIntervalMs),
    shutdownTimeoutMs: number('task.shutdown.graceful.timeout.ms', 5000),
    commitIntervalMs,
    maxInFlightRecords: number('max.in.flight.records', 5000),
    maxInFlightBytes: number('max.in.flight.bytes', Math.max(1, bufferMemory)),
  }
}
