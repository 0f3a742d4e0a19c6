import { type ConfigProviders, resolveReferences } from '@tributary/config'
import { maxTasksOf, type Props, requiresExactlyOnce, type SourcePlugin } from '@tributary/connect-api'
import type { ConfigSnapshot } from '@tributary/connect-storage'
import { runtimeErrors } from '../errors.ts'

/** Characters of all task configurations of a connector, as every process of the cluster keeps them. */
const MAX_TASKS_LENGTH = 64 * 1024 * 1024

/**
 * The configurations of the tasks that a connector with this configuration has. Call it in a plugin scope. Throws what the plugin
 * throws, and TASK_CONFIGS_TOO_LARGE.
 */
export function taskConfigsOf(plugin: SourcePlugin, props: Props): Props[] {
  const maxTasks = maxTasksOf(props)
  const tasks = plugin.connector.taskConfigs(props, maxTasks).slice(0, maxTasks)
  refuseLarge(tasks)
  return tasks.map((task) => ({ ...task, 'task.class': plugin.taskClass }))
}

function refuseLarge(tasks: readonly Props[]): void {
  let length = 0
  for (const task of tasks) {
    for (const [name, value] of Object.entries(task)) length += name.length + value.length
    if (length > MAX_TASKS_LENGTH) {
      const text = `The configurations of ${tasks.length} tasks are above 64 MiB together: lower tasks.max, or make the configuration smaller`
      throw runtimeErrors.TASK_CONFIGS_TOO_LARGE(text, { field: 'tasks.max' })
    }
  }
}

/**
 * Whether the tasks of an exactly-once connector must be fenced before `count` new ones start. If task 0 is its only task before and
 * after, the next start of task 0 fences the old one.
 */
export async function mustFence(
  snapshot: ConfigSnapshot,
  providers: ConfigProviders,
  connector: string,
  props: Props,
  count: number,
): Promise<boolean> {
  const known = snapshot.taskNumbers(connector)
  if (count === 0 || known.size === 0) return false
  // If there is a set of tasks, the sets before it ended before it was written.
  const before = snapshot.tasks(connector).length > 0 ? snapshot.tasks(connector).length : Math.max(...known) + 1
  if (before === 1 && count === 1) return false
  const key = 'exactly.once.support'
  return requiresExactlyOnce((await resolveReferences({ [key]: props[key] ?? '' }, providers)).props)
}
