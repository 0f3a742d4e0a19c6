import type { SourcePlugin } from '@tributary/connect-api'
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

/** All units of work that this service's workers share, sorted: connectors, and the tasks of those not stopped. */
export function unitsOf(
  snapshot: ConfigSnapshot,
  plugins: readonly SourcePlugin[],
): { connectors: string[]; tasks: string[] } {
  const connectors: string[] = []
  const tasks: string[] = []
  for (const connector of [...snapshot.connectors()].sort()) {
    if (!findPlugin(plugins, snapshot.config(connector)?.['connector.class'])) continue
    connectors.push(unitOf.connector(connector))
    if (snapshot.targetState(connector) === 'STOPPED') continue
    for (const task of snapshot.tasks(connector).keys()) tasks.push(unitOf.task(connector, task))
  }
  return { connectors, tasks }
}
