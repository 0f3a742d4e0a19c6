import type { SourcePlugin } from '@tributary/connect-api'
import type { ConfigSnapshot } from '@tributary/connect-storage'
import { type PropsEnvironment, resolveProps } from '../model/props.ts'
import { parseUnit } from './group.ts'
import { pluginOf } from './units.ts'

/** Which units may run twice for a moment: tasks that run, of sources that can tell what their other run delivered. */
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
      // A configuration that is none: the unit moves without overlap, and its start will say what is wrong.
      return false
    }
  }
}
