import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { abortable } from '@tributary/async'
import { ConfigException } from '@tributary/config'
import {
  type ConfigError,
  createTaskStats,
  errorKind,
  maxTasksOf,
  type SourcePlugin,
  type TaskContext,
} from '@tributary/connect-api'
import type { ConfigSnapshot } from '@tributary/connect-storage'
import { hideSecrets, redact, Redaction } from '@tributary/telemetry'
import { withCallTimeouts } from '../isolation/call-timeouts.ts'
import { runInScope, runOutsideScopes } from '../isolation/plugin-scope.ts'
import { type ResolvedProps, resolveProps } from '../model/props.ts'
import { sourceTaskConfig } from '../model/source-task-config.ts'
import { ErrorHandler } from '../records/error-handler.ts'
import { loggerName, type TaskEnvironment } from '../unit/task-factory.ts'
import type { PreviewAnswer, PreviewOutcome, PreviewRecord, PreviewRequest } from './answer.ts'
import { disturbed, previewPolicy } from './disturbance.ts'
import { PlannedTopics, type TopicReader } from './planned-topics.ts'
import { PreviewEnd, runPreviewTask } from './preview-task.ts'
import { RecordPreviewer } from './record-previewer.ts'
import { Shown } from '../records/shown.ts'

/** Previews at a time. Each holds a connection and a queue of its source. */
const MAX_AT_ONCE = 2
/** An answer takes no further record, and no further value, beyond so many characters. */
const MAX_ANSWER = 4 * 1024 * 1024
/** No connector's folder begins with a dot. */
const FOLDER = '.previews'

export interface PreviewsOptions {
  readonly plugins: readonly SourcePlugin[]
  readonly environment: TaskEnvironment
  readonly topics: TopicReader
  readonly snapshot: () => ConfigSnapshot
}

/**
 * Makes previews: a task of a configuration reads some records of its source, and the answer shows what a real run would write. Nothing is
 * produced or committed, and the source is left as it was.
 */
export class Previews {
  readonly #options: PreviewsOptions
  #underWay = 0

  constructor(options: PreviewsOptions) {
    this.#options = options
  }

  /** `gone`: the caller no longer waits. */
  async run(plugin: SourcePlugin, request: PreviewRequest, gone: AbortSignal): Promise<PreviewOutcome> {
    if (this.#underWay >= MAX_AT_ONCE) {
      return {
        failed: 'busy',
        message: `This worker makes ${MAX_AT_ONCE} previews already. Try again in some seconds.`,
      }
    }
    this.#underWay++
    try {
      return await this.#run(plugin, request, gone)
    } finally {
      this.#underWay--
    }
  }

  async #run(plugin: SourcePlugin, request: PreviewRequest, gone: AbortSignal): Promise<PreviewOutcome> {
    const { environment } = this.#options
    let endRedaction = (): void => {}
    const ends = new AbortController()
    const slow = `The preview got nothing within ${request.seconds} s: the source, or Kafka, did not answer.`
    const time = setTimeout(() => ends.abort(new PreviewEnd('time', slow)), request.seconds * 1000)
    const leave = (): void => ends.abort(new PreviewEnd('gone', 'the client went away'))
    gone.addEventListener('abort', leave, { once: true })
    if (gone.aborted) leave()
    const scope = {
      name: `a preview by ${plugin.class}`,
      unit: () => null,
      fail: (error: unknown) => ends.abort(new PreviewEnd('bug', (error as Error).message, { cause: error })),
    }
    try {
      const resolved = await abortable(resolveProps(environment, plugin, request.config), ends.signal)
      endRedaction = hideSecrets(resolved.secrets)
      return await runInScope(scope, () => this.#preview(plugin, request, resolved, ends.signal))
    } catch (error) {
      return failure(error)
    } finally {
      clearTimeout(time)
      gone.removeEventListener('abort', leave)
      endRedaction()
    }
  }

  async #preview(
    plugin: SourcePlugin,
    request: PreviewRequest,
    resolved: ResolvedProps,
    signal: AbortSignal,
  ): Promise<PreviewOutcome> {
    const { environment, plugins, snapshot } = this.#options
    const { props } = resolved
    const policy = previewPolicy(plugin, props)
    if (!request.force) {
      const found = await disturbed({ plugin, plugins, snapshot: snapshot(), environment, policy }, signal)
      if (found !== null) return { disturbs: { connectors: found.connectors, why: redact(found.why) } }
    }
    const tasks = plugin.connector.taskConfigs(request.config, maxTasksOf(props))
    const stored = tasks[request.task]
    if (stored === undefined) return { errors: [{ field: 'task', message: noTask(request.task, tasks.length) }] }
    const task = await abortable(resolveProps(environment, plugin, stored), signal)
    const { records, topics, ...ended } = await this.#take(plugin, request, task, signal)
    const answer: PreviewAnswer = {
      class: plugin.class,
      task: request.task,
      tasks: tasks.length,
      offsets: request.connector === null ? 'none' : 'committed',
      ended: ended.ended,
      reason: redact(ended.reason),
      source: policy.leaves,
      caution: ended.caution === null ? null : redact(ended.caution),
      notes: ended.notes.map(redact),
      topics,
      records,
    }
    return { preview: answer }
  }

  async #take(plugin: SourcePlugin, request: PreviewRequest, resolved: ResolvedProps, signal: AbortSignal) {
    const { environment, topics: reader } = this.#options
    const { clock } = environment
    const { props } = resolved
    const { name: connector = request.connector ?? 'preview' } = props
    const config = sourceTaskConfig(props)
    const log = environment.log.child({ connector_name: connector, preview: true }, loggerName(plugin.class))
    const own = new Redaction()
    own.hide(resolved.secrets)
    const shown = new Shown((text) => own.redact(text), MAX_ANSWER)
    const lookUp: TopicReader = { describeTopics: (...args) => runOutsideScopes(() => reader.describeTopics(...args)) }
    const topics = new PlannedTopics({ reader: lookUp, props, config, internalTopic: environment.internalTopic })
    const errors = new ErrorHandler(config, connector, request.task, log)
    const previewer = new RecordPreviewer({ plugin, props, config, errors, topics, shown, environment })
    const memory = environment.memory.share()
    const records: PreviewRecord[] = []
    const task = withCallTimeouts(plugin.createTask(), log)
    try {
      if (request.connector !== null) await runOutsideScopes(() => environment.offsets.refresh(signal))
      const ended = await runPreviewTask(
        {
          task,
          by: `the task of ${plugin.class}`,
          context: {
            ...this.#context(request, resolved, connector),
            ...{ log, stats: createTaskStats(), memory, clock, preview: { maxRecords: request.records } },
            ...(config.exactlyOnce && config.transactionBoundary === 'connector' && { transaction: NO_TRANSACTION }),
          },
          log,
          records: request.records,
          onRecord: async (record) => {
            records.push(await previewer.preview(record, signal))
            return !shown.full
          },
        },
        signal,
      )
      return {
        ...ended,
        caution: cautionOf(previewer.waitsFor, task.caution?.() ?? null),
        notes: [...previewer.notes],
        records,
        topics: topics.shown(),
      }
    } finally {
      memory.close()
      previewer.close()
    }
  }

  #context(
    { connector: stored, task }: PreviewRequest,
    { props, written }: ResolvedProps,
    connector: string,
  ): Pick<
    TaskContext,
    'connector' | 'task' | 'config' | 'written' | 'offset' | 'offsets' | 'removeOffsets' | 'dataDir'
  > {
    const { offsets, dataDir } = this.#options.environment
    return {
      connector,
      task,
      config: props,
      written,
      offset: (partition) => (stored === null ? null : offsets.offset(stored, partition)),
      offsets: () => (stored === null ? [] : offsets.offsets(stored)),
      removeOffsets: () => {},
      dataDir: join(dataDir, FOLDER, randomUUID()),
    }
  }
}

const NO_TRANSACTION = { commitTransaction: (): void => {}, abortTransaction: (): void => {} }

function cautionOf(...cautions: readonly (string | null)[]): string | null {
  return cautions.filter((caution) => caution !== null).join(' ') || null
}

function noTask(task: number, tasks: number): string {
  return `There is no task ${task}: the configuration has ${tasks} tasks, from 0 on`
}

/** What the error of a preview means for its caller. */
function failure(error: unknown): PreviewOutcome {
  const message = redact(error instanceof Error ? error.message : String(error))
  if (error instanceof PreviewEnd) return { failed: error.why === 'time' ? 'slow' : 'bug', message }
  if (error instanceof ConfigException) {
    return { errors: error.errors.map(({ name, message: text }) => ({ field: name, message: redact(text) })) }
  }
  switch (errorKind(error)) {
    case 'config':
      return { errors: [{ field: (error as ConfigError).field ?? 'connector.class', message }] }
    case 'retriable':
      return { failed: 'unreached', message }
    default:
      return { failed: 'bug', message }
  }
}
