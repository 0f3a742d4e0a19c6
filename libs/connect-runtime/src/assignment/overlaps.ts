import type { Props, SourcePlugin } from '@tributary/connect-api'
import type { ConfigSnapshot } from '@tributary/connect-storage'
import { handOverPolicyOf } from '../model/hand-over-policy.ts'
import { type PropsEnvironment, refersToProviders, resolveProps } from '../model/props.ts'
import { parseUnit } from './group.ts'
import { pluginOf, unitsOf } from './units.ts'

/** Decides which units may run twice for a moment: tasks of STARTED connectors whose source can hand over (`handOver`). */
export class Overlaps {
  readonly #plugins: readonly SourcePlugin[]
  readonly #environment: PropsEnvironment
  /** By stored configuration: whether the source can hand over. Only those with references, whose files take time to read. */
  readonly #learnt = new WeakMap<Props, boolean>()

  constructor(plugins: readonly SourcePlugin[], environment: PropsEnvironment) {
    this.#plugins = plugins
    this.#environment = environment
  }

  /** Resolves the references of the tasks' configurations that are new, for `allowed`. Never rejects. */
  async learn(snapshot: ConfigSnapshot): Promise<void> {
    const learning = unitsOf(snapshot, this.#plugins).tasks.map(async (unit) => {
      const found = this.#find(snapshot, unit)
      if (found === null || this.#learnt.has(found.stored) || !refersToProviders(found.stored)) return
      const resolved = await resolveProps(this.#environment, found.plugin, found.stored).catch(() => null)
      this.#learnt.set(found.stored, resolved !== null && canHandOver(found.plugin, resolved.props))
    })
    await Promise.all(learning)
  }

  /** A configuration with references that nobody has learnt yet is not allowed: its task moves without overlap. */
  allowed(snapshot: ConfigSnapshot, unit: string): boolean {
    const found = this.#find(snapshot, unit)
    if (found === null || snapshot.targetState(parseUnit(unit).connector) !== 'STARTED') return false
    const { plugin, stored } = found
    if (refersToProviders(stored)) return this.#learnt.get(stored) ?? false
    return canHandOver(plugin, { ...this.#environment.defaults, ...stored })
  }

  #find(snapshot: ConfigSnapshot, unit: string): { plugin: SourcePlugin; stored: Props } | null {
    const { connector, task } = parseUnit(unit)
    const stored = task === null ? undefined : snapshot.tasks(connector)[task]
    const plugin = pluginOf(snapshot, this.#plugins, connector, stored)
    return stored && plugin?.handOver ? { plugin, stored } : null
  }
}

function canHandOver(plugin: SourcePlugin, props: Props): boolean {
  try {
    return handOverPolicyOf(plugin, props) !== null
  } catch {
    // The configuration is invalid. The unit moves without overlap, and its start reports the error.
    return false
  }
}
