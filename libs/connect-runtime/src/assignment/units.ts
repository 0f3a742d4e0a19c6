import type { Props, SourcePlugin } from '@tributary/connect-api'
import type { ConfigSnapshot } from '@tributary/connect-storage'
import { unitOf } from './group.ts'

/** The plugin of this worker that `connector.class` names: by class or alias, with or without package and `Connector`. */
export function findPlugin(plugins: readonly SourcePlugin[], className: string | undefined): SourcePlugin | null {
  if (className === undefined) return null
  const name = className.trim()
  const simple = (c: string): string => c.slice(c.lastIndexOf('.') + 1)
  const matches = (c: string): boolean =>
    c === name || simple(c) === name || simple(c).replace(/Connector$/, '') === name
  return plugins.find((p) => [p.class, ...p.aliases].some(matches)) ?? null
}

/**
 * The plugin of a unit. A task's stored configuration names the class that runs the task. That class may still be the one of
 * the connector's previous plugin.
 */
export function pluginOf(
  snapshot: ConfigSnapshot,
  plugins: readonly SourcePlugin[],
  connector: string,
  taskProps?: Props,
): SourcePlugin | null {
  const plugin = findPlugin(plugins, snapshot.config(connector)?.['connector.class'])
  return plugins.find((p) => p.taskClass === taskProps?.['task.class']) ?? plugin
}

/** How many tasks of the connector are units of work. A STOPPED connector has none. */
export function taskCount(snapshot: ConfigSnapshot, connector: string): number {
  return snapshot.targetState(connector) === 'STOPPED' ? 0 : snapshot.tasks(connector).length
}

/** Whether a worker with these plugins runs the connector. */
export function isOurs(snapshot: ConfigSnapshot, plugins: readonly SourcePlugin[], connector: string): boolean {
  return findPlugin(plugins, snapshot.config(connector)?.['connector.class']) !== null
}

/** All units of work that the workers of this service share: its connectors and their tasks, sorted by connector. */
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
