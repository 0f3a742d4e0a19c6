import { AsyncLocalStorage } from 'node:async_hooks'
import {
  type Clock,
  createTaskStats,
  type ErrorKind,
  type MemoryBudget,
  type MemoryShare,
  type Props,
  type SourcePlugin,
  type SourceTask,
  type TaskStats,
  requiresExactlyOnce,
} from '@tributary/connect-api'
import { type InternalTopicCheck, type OffsetStore, taskTransactionalId } from '@tributary/connect-storage'
import { createConverter, createHeaderConverter } from '@tributary/converters'
import type { KafkaProducer, ProducerPool } from '@tributary/kafka-producer'
import { type Logger, redact } from '@tributary/telemetry'
import { BatchMemory } from '../records/batch-memory.ts'
import { BatchTracing } from '../records/batch-tracing.ts'
import { ErrorHandler } from '../records/error-handler.ts'
import type { PredecessorRun } from '../hand-over/predecessor.ts'
import { mustGuarantee } from '../model/guarantees.ts'
import { withCallTimeouts } from '../isolation/call-timeouts.ts'
import type { StartTrials } from '../isolation/start-trials.ts'
import { firstProducerError, producerSettings } from '../model/producer-settings.ts'
import { RecordEncoder } from '../records/record-encoder.ts'
import { type SourceTaskConfig, sourceTaskConfig } from '../model/source-task-config.ts'
import type { Lease, TaskId, TaskState } from '../model/task.ts'
import { type TopicCreator, Topics } from '../records/topics.ts'
import { taskFolder } from '../model/task-folder.ts'
import type { PropsEnvironment, ResolvedProps } from '../model/props.ts'
import type { Taps } from '../tail/taps.ts'
import { createTransformations } from '../model/transformations.ts'
import type { TransformationStage } from '@tributary/transforms'
import type { TaskParts } from '../task/task-parts.ts'
import { WorkerSourceTask } from '../task/worker-source-task.ts'

/** What all tasks of a worker share. */
export interface TaskEnvironment extends PropsEnvironment {
  /** Tasks with equal producer settings share connections and requests. */
  readonly producers: Pick<ProducerPool, 'create'>
  /** `<cluster>-<service>`, the start of each transactional id. */
  readonly groupId: string
  readonly offsets: OffsetStore
  readonly admin: TopicCreator
  /** See TopicsOptions. */
  readonly internalTopic?: InternalTopicCheck
  /** The worker's exactly.once.source.support is enabled. */
  readonly exactlyOnceSource: boolean
  /** Folder on this host that holds the folders of all tasks. */
  readonly dataDir: string
  /** `task.handover.timeout.ms`: how long a run tries to connect while its predecessor still runs. */
  readonly handOverTimeoutMs: number
  /** The memory that the tasks of this process share. */
  readonly memory: MemoryBudget
  readonly clock: Clock
  readonly log: Logger
  /** Where tails look. Absent: nobody can look. */
  readonly taps?: Taps
  /** Counts the processes that end when a task starts. Absent: nobody counts. */
  readonly trials?: StartTrials
}

export interface TaskRequest extends ResolvedProps {
  readonly id: TaskId
  readonly plugin: SourcePlugin
  readonly lease: Lease
  /** The configuration as stored; absent: nobody asks. */
  readonly stored?: Props
  /** The run that the new run follows with overlap; absent or null: none. */
  readonly predecessor?: PredecessorRun | null
  /** The task is a recovery task; see TaskParts. */
  readonly finite?: boolean
  /** The source has announced the end of the connection; absent: nobody replaces it. */
  readonly onConnectionEnding?: () => void
  /** See ReconnectorOptions. Absent: never. */
  readonly replaced?: () => Promise<boolean>
  readonly onState: (state: TaskState, error: unknown, kind: ErrorKind | null) => void
  readonly onTopic: (topic: string) => void
}

export interface CreatedTask {
  readonly run: WorkerSourceTask
  /** Of these the run is made. */
  readonly parts: Pick<TaskParts, 'plugin' | 'task' | 'props' | 'config' | 'encoder'> & {
    /** The configuration as stored. */
    readonly stored: Props
    /** Topics like those of the run. */
    readonly newTopics: () => Topics
    /** Calls `work`, which calls code of the plugin. */
    readonly inScope: <T>(work: () => T) => T
  }
  readonly stats: TaskStats
  /** Closed when the run is over. */
  readonly memory: MemoryShare
  readonly errors: Pick<ErrorHandler, 'skipped' | 'deadLettered'>
  readonly labels: Readonly<Record<string, string>>
  /** Why Kafka does not take the task's records at present; null while Kafka does. */
  readonly outage: () => Error | null
  /** Why the source has nothing more to read, in a sentence; null while it may have. */
  readonly completed: () => string | null
  /** What is dangerous in the configuration, or why no offset can be read or committed, in a sentence; null for nothing. */
  readonly caution: () => string | null
}

/** Creates a task from its resolved configuration, in the present plugin scope. Throws ConfigError, and whatever the plugin throws. */
export function createTask(environment: TaskEnvironment, request: TaskRequest): CreatedTask {
  const { id, plugin, props, written, stored = written, lease, onState, onTopic } = request
  const { clock, offsets, admin } = environment
  const config = sourceTaskConfig(props)
  mustGuarantee(plugin, props, environment.exactlyOnceSource)
  const labels = shownLabels(plugin.metricLabels?.(props) ?? {})
  const log = environment.log.child({ connector_name: id.connector, task: id.task }, loggerName(plugin.class))
  const errors = new ErrorHandler(config, id.connector, id.task, log)
  const encoder = createEncoder(plugin, props, config, errors, environment)
  let outage: Error | null = null
  const producer = createTaskProducer(environment, request, log, (error) => (outage = error))
  const newTopics = (): Topics =>
    new Topics({
      producer,
      admin,
      config: props,
      creationEnabled: config.topicCreation,
      deadLetterTopic: config.deadLetterTopic,
      deadLetterReplication: config.deadLetterReplication,
      internalTopic: environment.internalTopic,
      onTopic,
    })
  const stats = createTaskStats()
  const tracing = new BatchTracing({ 'tributary.connector': redact(id.connector), 'tributary.task': id.task })
  const task = onTrial(withCallTimeouts(plugin.createTask(), log), id, environment.trials)
  const memory = environment.memory.share()
  const tap = environment.taps?.add(id, request.secrets, log) ?? null
  const run = new WorkerSourceTask({
    id,
    plugin,
    task,
    props,
    written,
    config,
    producer,
    offsets,
    encoder,
    topics: newTopics(),
    errors,
    lease,
    predecessor: request.predecessor ?? null,
    handOverTimeoutMs: environment.handOverTimeoutMs,
    finite: request.finite ?? false,
    stats,
    memory: new BatchMemory(memory),
    tracing,
    tap: tap ?? { watcher: null },
    dataDir: taskFolder(environment.dataDir, id),
    clock,
    log,
    replaced: request.replaced ?? (() => Promise.resolve(false)),
    onState: (state, error, kind) => {
      if (state === 'stopped' || state === 'failed') {
        memory.close()
        if (tap !== null) environment.taps?.remove(id, tap)
      }
      onState(state, error, kind)
    },
    onConnectionEnding: request.onConnectionEnding ?? (() => {}),
  })
  return {
    run,
    parts: { plugin, task, props, config, encoder, stored, newTopics, inScope: AsyncLocalStorage.snapshot() },
    stats,
    memory,
    errors,
    labels,
    outage: () => outage,
    completed: () => task.completed?.() ?? null,
    caution: () => offsets.trouble ?? task.caution?.() ?? null,
  }
}

function shownLabels(labels: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(labels).map(([name, value]) => [name, redact(value)]))
}

function onTrial(task: SourceTask, id: TaskId, trials: StartTrials | undefined): SourceTask {
  if (trials === undefined) return task
  const start: SourceTask['start'] = async (context) => {
    await trials.turn(id)
    await trials.run(id, () => task.start(context))
  }
  return { ...task, start }
}

/** Looks on while records are encoded that go nowhere. */
export interface EncoderWatch {
  /** The transform, or something around it. */
  stage(stage: TransformationStage): TransformationStage
  /** See `readOnly` of Converter. */
  told(what: string): void
}

/** Makes the chain and the converters of a configuration. Throws ConfigError. */
export function createEncoder(
  plugin: Pick<SourcePlugin, 'taskClass'>,
  props: Props,
  config: SourceTaskConfig,
  errors: Pick<ErrorHandler, 'tolerate'>,
  { clock, transforms: own }: Pick<TaskEnvironment, 'clock' | 'transforms'>,
  watch: EncoderWatch | null = null,
): RecordEncoder {
  const keyConverter = createConverter('key.converter', props, true)
  const valueConverter = createConverter('value.converter', props, false)
  if (watch !== null)
    for (const converter of [keyConverter, valueConverter]) converter.readOnly?.((what) => watch.told(what))
  const stages = createTransformations(props, own)
  return new RecordEncoder({
    taskClass: plugin.taskClass,
    transformations: watch === null ? stages : stages.map((stage) => watch.stage(stage)),
    keyConverter,
    valueConverter,
    headerConverter: createHeaderConverter('header.converter', props),
    errors,
    clock,
    retryTimeoutMs: config.retryTimeoutMs,
    retryDelayMaxMs: config.retryDelayMaxMs,
  })
}

/** The producer of a task, transactional with exactly once. Throws ConfigError for a setting that it does not have. */
function createTaskProducer(
  environment: TaskEnvironment,
  { id, plugin, props, lease }: TaskRequest,
  log: Logger,
  onOutage: (error: Error | null) => void,
): KafkaProducer {
  const { producers, groupId } = environment
  const settings = producerSettings(props, plugin.producerKeys)
  const refused = firstProducerError(settings)
  if (refused !== null) throw refused
  for (const message of settings.raised) log.warn('producer_setting_raised', { message })
  const transactional = requiresExactlyOnce(props)
  return producers.create({
    ...settings.options,
    ...(settings.clientId !== null && { clientId: settings.clientId }),
    ...(transactional && { transactionalId: taskTransactionalId(groupId, id.connector, id.task) }),
    // A process that stood still may have lost the task. Records that wait in its producer must not follow the next owner's.
    maySend: () => lease.valid(),
    onOutage: (state, error) => {
      onOutage(state === 'down' ? (error ?? new Error('it does not answer')) : null)
      // Guides to Kafka's own producer search for these words.
      if (state === 'down')
        log.error('kafka_unavailable', { message: 'Failed to send records to Kafka; they wait', error })
      else log.warn('kafka_available')
    },
    log,
  })
}

/** `io.tributary.connect.grpc` for `io.tributary.connect.grpc.GrpcSourceConnector`. */
export function loggerName(className: string): string {
  return className.slice(0, className.lastIndexOf('.'))
}
