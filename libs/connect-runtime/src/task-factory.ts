import { type KafkaConnection, redactor, resolveReferences, secretsOf } from '@tributary/config'
import {
  type Clock,
  createTaskStats,
  type ErrorKind,
  type Props,
  type SourcePlugin,
  type TaskStats,
} from '@tributary/connect-api'
import { type OffsetStore, taskTransactionalId } from '@tributary/connect-storage'
import { createConverter, createHeaderConverter } from '@tributary/converters'
import { type Compression, createProducer, type ProducerOptions } from '@tributary/kafka-producer'
import type { Logger } from '@tributary/telemetry'
import { BatchTracing } from './batch-tracing.ts'
import { ErrorHandler } from './error-handler.ts'
import { RecordEncoder } from './record-encoder.ts'
import { sourceTaskConfig } from './source-task-config.ts'
import type { Lease, TaskId, TaskState } from './task-parts.ts'
import { type TopicCreator, Topics } from './topics.ts'
import { createTransformations } from './transformations.ts'
import { WorkerSourceTask } from './worker-source-task.ts'

/** What all tasks of a worker share. */
export interface TaskEnvironment {
  readonly connection: KafkaConnection
  readonly producerDriver: 'platformatic' | 'kafkajs'
  /** `<cluster>-<service>`, the start of each transactional id. */
  readonly groupId: string
  readonly offsets: OffsetStore
  readonly admin: TopicCreator
  /** Worker-wide values of task keys, `errors.tolerance`, `value.converter`, `producer.compression.type`. */
  readonly defaults: Props
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly log: Logger
}

export interface TaskRequest {
  readonly id: TaskId
  readonly plugin: SourcePlugin
  /** As stored; `${…}` is resolved here and nowhere else. */
  readonly props: Props
  readonly lease: Lease
  readonly onState: (state: TaskState, error: unknown, kind: ErrorKind | null) => void
  readonly onTopic: (topic: string) => void
}

export interface CreatedTask {
  readonly run: WorkerSourceTask
  readonly stats: TaskStats
  readonly errors: Pick<ErrorHandler, 'skipped' | 'deadLettered'>
  readonly labels: Readonly<Record<string, string>>
  /** Hides the secrets of the configuration in a text. */
  readonly redact: (text: string) => string
}

/** Puts a task together from its configuration. Throws ConfigError. */
export function createTask(environment: TaskEnvironment, request: TaskRequest): CreatedTask {
  const { id, plugin, lease, onState, onTopic } = request
  const { clock, offsets, admin } = environment
  const resolved = resolveReferences(request.props, environment.environment)
  const props = { ...environment.defaults, ...resolved.props }
  const redact = redactor([...resolved.secrets, ...secretsOf(plugin.connector.spec, props)])
  const config = sourceTaskConfig(props)
  const labels = plugin.metricLabels?.(props) ?? {}
  const log = environment.log.child({ connector_name: id.connector, task: id.task }, loggerName(plugin.class))
  const errors = new ErrorHandler(config, id.connector, id.task, log)
  const encoder = new RecordEncoder({
    transformations: createTransformations(props),
    keyConverter: createConverter('key.converter', props, true),
    valueConverter: createConverter('value.converter', props, false),
    headerConverter: createHeaderConverter('header.converter', props),
    errors,
    clock,
    retryTimeoutMs: config.retryTimeoutMs,
    retryDelayMaxMs: config.retryDelayMaxMs,
  })
  const producer = createProducer(environment.connection, {
    driver: environment.producerDriver,
    ...producerOptions(props),
    ...(config.exactlyOnce ? { transactionalId: taskTransactionalId(environment.groupId, id.connector, id.task) } : {}),
    onOutage: (state, error) => log.warn(state === 'down' ? 'kafka_unavailable' : 'kafka_available', { error }),
  })
  const topics = new Topics({
    producer,
    admin,
    config: props,
    creationEnabled: config.topicCreation,
    deadLetterTopic: config.deadLetterTopic,
    deadLetterReplication: config.deadLetterReplication,
    onTopic,
  })
  const stats = createTaskStats()
  const tracing = new BatchTracing({ 'tributary.connector': id.connector, 'tributary.task': id.task })
  const run = new WorkerSourceTask({
    id,
    plugin,
    task: plugin.createTask(),
    props,
    config,
    producer,
    offsets,
    encoder,
    topics,
    errors,
    lease,
    stats,
    tracing,
    clock,
    log,
    onState,
  })
  return { run, stats, errors, labels, redact }
}

/** `producer.override.*` of the connector before `producer.*` of the worker (KIP-458). */
function producerOptions(
  props: Props,
): Pick<ProducerOptions, 'compression' | 'maxRequestBytes' | 'transactionTimeoutMs'> {
  const value = (key: string): string | undefined => props[`producer.override.${key}`] ?? props[`producer.${key}`]
  const compression = value('compression.type')
  const maxRequest = value('max.request.size')
  const transactionTimeout = value('transaction.timeout.ms')
  return {
    ...(compression ? { compression: compression.trim().toLowerCase() as Compression } : {}),
    ...(maxRequest ? { maxRequestBytes: Number(maxRequest) } : {}),
    ...(transactionTimeout ? { transactionTimeoutMs: Number(transactionTimeout) } : {}),
  }
}

/** `io.tributary.connect.grpc` for `io.tributary.connect.grpc.GrpcSourceConnector`. */
function loggerName(className: string): string {
  return className.slice(0, className.lastIndexOf('.'))
}
