import type { SourcePlugin } from '@tributary/connect-api'
import type { ConfigSnapshot } from '@tributary/connect-storage'
import { type PropsEnvironment, resolveProps } from '../model/props.ts'
import { parseUnit } from './group.ts'
import { pluginOf } from './units.ts'

/** Decides which units may run twice for a moment: tasks of STARTED connectors whose source can hand over (`handOver`). */
export class Overlaps {
  readonly #plugins: readonly SourcePlugin[]
  readonly #environment: PropsEnvironment

  constructor(plugins: readonly SourcePlugin[], environment: PropsEnvironment) {
    this.#plugins = plugins
    this.#environment = environment
  }

  allowed(snapshot: ConfigSnapshot, unit: string): boolean {
    const { connector, task } = parseUnit(unit)
    if (task === null || snapshot.targetState(connector) !== 'STARTED') return false
    const stored = snapshot.tasks(connector)[task]
    const plugin = pluginOf(snapshot, this.#plugins, connector, stored)
    if (!stored || !plugin?.handOver) return false
    try {
      return plugin.handOver(resolveProps(this.#environment, plugin, stored).props) !== null
    } catch {
      // The configuration is invalid. The unit moves without overlap, and its start reports the error.
      return false
    }
  }
}
