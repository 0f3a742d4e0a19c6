import type { Props, SourcePlugin } from '@tributary/connect-api'
import type { OffsetStore } from '@tributary/connect-storage'
import { redactLogs } from '@tributary/telemetry'
import { type PluginScope, runInScope, runOutsideScopes } from '../isolation/plugin-scope.ts'
import type { Lease, TaskId } from '../model/task.ts'
import { resolveProps } from '../model/props.ts'
import { createTask, type TaskEnvironment } from '../unit/task-factory.ts'

/** The task is another worker's, whose offsets these records have nothing to do with. */
const NO_OFFSETS: OffsetStore = {
  start: () => Promise.resolve(),
  refresh: () => Promise.resolve(),
  offsets: () => [],
  offset: () => null,
  encode: () => [],
  write: () => Promise.resolve(),
  stop: () => Promise.resolve(),
}

/** What is left behind on this host is this host's to send, whoever has the task; the folder itself has a lock. */
const ALWAYS: Lease = { valid: () => true, passed: () => Promise.resolve(), release: () => {} }

/** A transactional producer would fence the task's owner. */
const WITHOUT_TRANSACTIONS: Props = { 'exactly.once.support': 'requested', 'transaction.boundary': 'poll' }

export interface RecoveryRunRequest {
  readonly id: TaskId
  readonly plugin: SourcePlugin
  readonly createRecoveryTask: NonNullable<SourcePlugin['createRecoveryTask']>
  /** The task's stored configuration. */
  readonly props: Props
}

/** A run of a plugin's late task: what it finds goes the way of all records, but for the offsets. */
export interface RecoveryRun {
  /** Records that Kafka has. */
  readonly records: number
  /** Resolves when it is over; the error that it failed with, null without one. */
  readonly ended: Promise<unknown>
  stop(): Promise<void>
}

/** Throws ConfigError, and whatever the plugin throws. */
export function startRecoveryRun(environment: TaskEnvironment, request: RecoveryRunRequest): RecoveryRun {
  const { id, plugin, createRecoveryTask } = request
  const props = { ...request.props, ...WITHOUT_TRANSACTIONS }
  const resolved = resolveProps(environment, plugin, props)
  const endRedaction = redactLogs(resolved.redact)
  let failure: unknown = null
  const { connector: name, taskClass, class: className, version, aliases } = plugin
  const { run } = createTask(
    { ...environment, offsets: NO_OFFSETS },
    {
      ...resolved,
      id,
      // Neither what it says of its connections nor of hand-overs is of use to it.
      plugin: { connector: name, taskClass, class: className, version, aliases, createTask: createRecoveryTask },
      lease: ALWAYS,
      finite: true,
      onState: (state, error) => {
        if (state === 'failed') failure = error
      },
      onTopic: () => {},
    },
  )
  const scope: PluginScope = {
    name: `what task ${id.task} of connector ${id.connector} left behind`,
    unit: () => null,
    fail: (error) => run.fail(error),
  }
  const ended = runInScope(scope, () => run.run()).then(() => {
    endRedaction()
    return failure
  })
  return {
    get records() {
      return run.progress.recordsProduced
    },
    ended,
    stop: () => runOutsideScopes(() => run.stop()),
  }
}
