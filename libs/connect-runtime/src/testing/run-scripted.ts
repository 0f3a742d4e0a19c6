import { Gate, systemClock } from '@tributary/async'
import {
  type Converter,
  createTaskStats,
  MemoryBudget,
  type MemoryShare,
  type ErrorKind,
  type Props,
  type SourcePlugin,
  type Transformation,
} from '@tributary/connect-api'
import { createConverter, createHeaderConverter } from '@tributary/converters'
import { silentLog } from '@tributary/telemetry/testing'
import { BatchMemory } from '../records/batch-memory.ts'
import type { Tap } from '../records/commit-records.ts'
import { BatchTracing } from '../records/batch-tracing.ts'
import { ErrorHandler } from '../records/error-handler.ts'
import type { PredecessorRun } from '../hand-over/predecessor.ts'
import { RecordEncoder } from '../records/record-encoder.ts'
import { sourceTaskConfig } from '../model/source-task-config.ts'
import { Topics } from '../records/topics.ts'
import type { TaskState } from '../model/task.ts'
import { WorkerSourceTask } from '../task/worker-source-task.ts'
import { FakeOffsets } from './fake-offsets.ts'
import { FakeProducer } from './fake-producer.ts'
import { ScriptedTask } from './scripted-task.ts'

export interface ScriptedRun {
  readonly task: ScriptedTask
  readonly run: WorkerSourceTask
  readonly producer: FakeProducer
  readonly offsets: FakeOffsets
  readonly lease: Gate
  readonly states: TaskState[]
  failure: unknown
  failureKind: ErrorKind | null
}

export interface ScriptOptions {
  /** Where tails look. */
  tap?: Tap
  resumable?: boolean
  transformations?: readonly Transformation[]
  valueConverter?: Converter
  intervalMs?: number
  maxAttempts?: number
  predecessor?: PredecessorRun
  finite?: boolean
  memory?: MemoryShare
  handOverTimeoutMs?: number
}

/** A run of a scripted source on fakes, not started yet. */
export function scriptedRun(props: Props = {}, options: ScriptOptions = {}): ScriptedRun {
  const config = sourceTaskConfig({ 'offset.commit.interval.ms': '1', ...props })
  const task = new ScriptedTask()
  const producer = new FakeProducer()
  const offsets = new FakeOffsets()
  const lease = new Gate(true)
  const errors = new ErrorHandler(config, 'c', 0, silentLog)
  const plugin = scriptedPlugin(task, options)
  const scripted: ScriptedRun = {
    task,
    producer,
    offsets,
    lease,
    states: [],
    failure: undefined,
    failureKind: null,
    run: new WorkerSourceTask({
      replaced: () => Promise.resolve(false),
      id: { connector: 'c', task: 0 },
      plugin,
      task,
      props,
      written: props,
      config,
      producer,
      offsets,
      encoder: new RecordEncoder({
        taskClass: plugin.taskClass,
        transformations: options.transformations ?? [],
        keyConverter: createConverter('key.converter', props, true),
        valueConverter: options.valueConverter ?? createConverter('value.converter', props, false),
        headerConverter: createHeaderConverter('header.converter', props),
        errors,
        clock: systemClock,
        retryTimeoutMs: config.retryTimeoutMs,
        retryDelayMaxMs: config.retryDelayMaxMs,
      }),
      topics: new Topics({
        producer,
        admin: {
          createTopic: (topic) => {
            producer.topics.set(topic.name, Math.max(topic.partitions, 1))
            return Promise.resolve()
          },
        },
        config: props,
        creationEnabled: config.topicCreation,
        deadLetterTopic: config.deadLetterTopic,
        deadLetterReplication: config.deadLetterReplication,
        onTopic: () => {},
      }),
      errors,
      lease: { valid: () => lease.isOpen, passed: (signal) => lease.passed(signal), release: () => lease.open() },
      stats: createTaskStats(),
      memory: new BatchMemory(options.memory ?? new MemoryBudget(Infinity).share()),
      tracing: new BatchTracing({}),
      tap: options.tap ?? { watcher: null },
      predecessor: options.predecessor ?? null,
      finite: options.finite ?? false,
      handOverTimeoutMs: options.handOverTimeoutMs ?? 5000,
      dataDir: '/nonexistent',
      clock: systemClock,
      log: silentLog,
      onConnectionEnding: () => {},
      onState: (state, error, kind) => {
        scripted.states.push(state)
        if (state === 'failed') [scripted.failure, scripted.failureKind] = [error, kind]
      },
    }),
  }
  return scripted
}

function scriptedPlugin(task: ScriptedTask, options: ScriptOptions): SourcePlugin {
  return {
    class: 'test.Scripted',
    aliases: [],
    version: '1',
    taskClass: 'test.ScriptedTask',
    reconnectPolicy: () => ({
      enabled: true,
      intervalMs: options.intervalMs ?? 1,
      backoffMaxMs: 5,
      maxAttempts: options.maxAttempts ?? -1,
      connectTimeoutMs: 1000,
    }),
    connector: { spec: { keys: {} }, taskConfigs: (c) => [c], exactlyOnce: () => options.resumable ?? false },
    createTask: () => task,
  }
}

/** Waits until `condition` holds; fails after `timeoutMs`. */
export async function until(condition: () => boolean, what: string, timeoutMs = 5000): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs} ms in vain until ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}
