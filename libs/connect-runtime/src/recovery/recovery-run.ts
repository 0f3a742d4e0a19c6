import type { Props, SourcePlugin } from '@tributary/connect-api'
import type { OffsetStore } from '@tributary/connect-storage'
import { hideSecrets } from '@tributary/telemetry'
import { type PluginScope, runInScope } from '../isolation/plugin-scope.ts'
import type { Lease, TaskId } from '../model/task.ts'
import { resolveProps } from '../model/props.ts'
import { createTask, type TaskEnvironment } from '../unit/task-factory.ts'

/** A recovery task neither reads nor writes offsets. The offsets belong to the task's owner, another worker. */
const NO_OFFSETS: OffsetStore = {
  trouble: null,
  start: () => Promise.resolve(),
  refresh: () => Promise.resolve(),
  offsets: () => [],
  offset: () => null,
  encode: () => [],
  write: () => Promise.resolve(),
  stop: () => Promise.resolve(),
}

/** A recovery task needs no lease: a lock on the folder, not the group, decides which process delivers its records. */
const ALWAYS: Lease = { valid: () => true, passed: () => Promise.resolve(), release: () => {} }

/** A transactional producer would fence the task's owner (KIP-618). */
const WITHOUT_TRANSACTIONS: Props = { 'exactly.once.support': 'requested', 'transaction.boundary': 'poll' }

export interface RecoveryRunRequest {
  readonly id: TaskId
  readonly plugin: SourcePlugin
  readonly createRecoveryTask: NonNullable<SourcePlugin['createRecoveryTask']>
  /** The task's stored configuration. */
  readonly props: Props
}

/** A run of a plugin's recovery task. Its records are transformed, converted and sent as any others, but commit no offsets. */
export interface RecoveryRun {
  /** Records that the broker has acknowledged. */
  readonly records: number
  /** Resolves when the run is over, with the error that it failed with, or with null. */
  readonly ended: Promise<unknown>
  stop(): Promise<void>
}

/** Starts a recovery task. Rejects with ConfigError, and whatever the plugin throws. */
export async function startRecoveryRun(
  environment: TaskEnvironment,
  request: RecoveryRunRequest,
): Promise<RecoveryRun> {
  const { id, plugin, createRecoveryTask } = request
  const props = { ...request.props, ...WITHOUT_TRANSACTIONS }
  const resolved = await resolveProps(environment, plugin, props)
  const endRedaction = hideSecrets(resolved.secrets)
  let failure: unknown = null
  const { connector: name, taskClass, class: className, version, aliases } = plugin
  const scope: PluginScope = {
    name: `the recovery task of task ${id.task} of connector ${id.connector}`,
    unit: () => null,
    fail: (error) => run.fail(error),
  }
  const { run } = runInScope(scope, () =>
    createTask(
      { ...environment, offsets: NO_OFFSETS },
      {
        ...resolved,
        id,
        // Without the reconnect and hand-over policies: a recovery task neither connects nor overlaps with another run.
        plugin: { connector: name, taskClass, class: className, version, aliases, createTask: createRecoveryTask },
        lease: ALWAYS,
        finite: true,
        onState: (state, error) => {
          if (state === 'failed') failure = error
        },
        onTopic: () => {},
      },
    ),
  )
  const ended = runInScope(scope, () => run.run()).then(() => {
    endRedaction()
    return failure
  })
  return {
    get records() {
      return run.progress.recordsProduced
    },
    ended,
    stop: () => runInScope(scope, () => run.stop()),
  }
}
