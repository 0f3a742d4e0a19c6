import type { FieldError, Props, SourcePlugin } from '@tributary/connect-api'
import type { ConfigSnapshot } from '@tributary/connect-storage'
import { handOverPolicyOf } from '../model/hand-over-policy.ts'
import { type PropsEnvironment, resolveProps, sameProps } from '../model/props.ts'
import { mustFence, taskConfigsOf } from '../unit/connector-tasks.ts'
import type { Herder } from './herder.ts'
import { judge } from './validate-connector.ts'

/** What a task would do with a configuration, and why. */
export interface PlannedTask {
  readonly task: number
  readonly action: 'nothing' | 'start' | 'stop' | 'restart' | 'hand-over'
  /** A sentence. */
  readonly why: string
  /** The task runs on the worker that answers. Another worker tells what the plugin allows, and not the state of the task. */
  readonly here: boolean
}

export interface PlanRequest {
  readonly connector: string
  /** As it would be stored: references are not resolved. */
  readonly config: Props
}

export interface PlanAnswer {
  /** The configuration is wrong; else there are none. */
  readonly errors: readonly FieldError[]
  readonly tasks: readonly PlannedTask[]
}

export interface Planning {
  readonly herder: Pick<Herder, 'planned'>
  readonly snapshot: ConfigSnapshot
  readonly environment: PropsEnvironment
}

const FENCED = 'With exactly once and several tasks, all of them end before a new set of tasks begins.'

/**
 * What a running connector's tasks would do with a configuration, told by the code that would do it. Nothing is done. A paused or
 * stopped connector is planned as if it ran. Rejects with the plugin's errors that are not config errors.
 */
export async function planConnector(
  plugin: SourcePlugin,
  { connector, config }: PlanRequest,
  { herder, snapshot, environment }: Planning,
  signal: AbortSignal,
): Promise<PlanAnswer> {
  let planned: PlannedTask[] = []
  const errors = await judge(plugin, config, { ...environment, otherwise: 'connector.class', signal }, async () => {
    const tasks = taskConfigsOf(plugin, config)
    const present = snapshot.tasks(connector)
    const same = tasks.length === present.length && tasks.every((task, i) => sameProps(task, present[i]!))
    const fenced = !same && (await mustFence(snapshot, environment.providers, connector, config, tasks.length))
    const here = await herder.planned(connector, plugin, tasks)
    const plan = async (task: number): Promise<PlannedTask> => {
      const [before, after] = [present[task], tasks[task]]
      const isHere = here.has(task)
      if (after === undefined) {
        return { task, action: 'stop', why: `The configuration makes ${countOf(tasks.length)}.`, here: isHere }
      }
      if (before === undefined) {
        return { task, action: 'start', why: `The configuration makes ${countOf(tasks.length)}.`, here: isHere }
      }
      if (fenced) return { task, action: 'restart', why: FENCED, here: isHere }
      return { task, ...(here.get(task) ?? (await elsewhere(plugin, before, after, environment))), here: isHere }
    }
    planned = await Promise.all(Array.from({ length: Math.max(tasks.length, present.length) }, (_, i) => plan(i)))
    return []
  })
  return { errors, tasks: errors.length > 0 ? [] : planned }
}

/** For a task of another worker: as if it were connected. */
async function elsewhere(
  plugin: SourcePlugin,
  before: Props,
  after: Props,
  environment: PropsEnvironment,
): Promise<Pick<PlannedTask, 'action' | 'why'>> {
  if (sameProps(before, after)) return { action: 'nothing', why: 'The configuration of the task stays the same.' }
  if (before['task.class'] !== after['task.class'])
    return { action: 'restart', why: 'Another class runs the task: the present run ends before a new one begins.' }
  for (const each of [before, after]) {
    const { props } = await resolveProps(environment, plugin, each)
    if (handOverPolicyOf(plugin, props) === null)
      return { action: 'restart', why: 'The source, or task.handover.overlap, does not let two runs overlap.' }
  }
  return { action: 'hand-over', why: 'The source lets two runs overlap, if the task is connected.' }
}

function countOf(tasks: number): string {
  return tasks === 1 ? 'one task' : `${tasks} tasks`
}
