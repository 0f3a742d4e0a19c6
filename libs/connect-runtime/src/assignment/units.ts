import type { Props, SourcePlugin } from '@tributary/connect-api'
import type { ConfigSnapshot } from '@tributary/connect-storage'
import { unitOf } from './group.ts'

/** The plugin that a connector configuration names, by class or alias, among those of this worker. */
export function findPlugin(plugins: readonly SourcePlugin[], className: string | undefined): SourcePlugin | null {
  if (className === undefined) return null
  const name = className.trim()
  const simple = (c: string): string => c.slice(c.lastIndexOf('.') + 1)
  const matches = (c: string): boolean =>
    c === name || simple(c) === name || simple(c).replace(/Connector$/, '') === name
  return plugins.find((p) => [p.class, ...p.aliases].some(matches)) ?? null
}

/** The plugin of a unit; a task's is that of the set that it is of, which may be a former one. */
export function pluginOf(
  snapshot: ConfigSnapshot,
  plugins: readonly SourcePlugin[],
  connector: string,
  taskProps?: Props,
): SourcePlugin | null {
  const plugin = findPlugin(plugins, snapshot.config(connector)?.['connector.class'])
  return plugins.find((p) => p.taskClass === taskProps?.['task.class']) ?? plugin
}

/** The tasks of a connector that are units of work of this service: of one that is here, and not stopped. */
export function taskCount(snapshot: ConfigSnapshot, connector: string): number {
  return snapshot.targetState(connector) === 'STOPPED' ? 0 : snapshot.tasks(connector).length
}

/** Whether workers with these plugins have to do with the connector. */
export function isOurs(snapshot: ConfigSnapshot, plugins: readonly SourcePlugin[], connector: string): boolean {
  return findPlugin(plugins, snapshot.config(connector)?.['connector.class']) !== null
}

/** All units of work that this service's workers share, sorted: connectors, and the tasks of those not stopped. */
export function unitsOf(
  snapshot: ConfigSnapshot,
  plugins: readonly SourcePlugin[],
): { connectors: string[]; tasks: string[] } {
  const connectors: string[] = []
  const tasks: string[] = []
  for (const connector of [...snapshot.connectors()].sort()) {
    if (!isOurs(snapshot, plugins, connector)) continue
    connectors.push(unitOf.connector(connector))
    for (let task = 0; task < taskCount(snapshot, connector); task++) tasks.push(unitOf.task(connector, task))
  }
  return { connectors, tasks }
}
