import type { Props, SourcePlugin } from '@tributary/connect-api'
import type { ConfigSnapshot } from '@tributary/connect-storage'
import { handOverPolicyOf } from '../model/hand-over-policy.ts'
import { type PropsEnvironment, refersToProviders, resolveProps } from '../model/props.ts'
import { parseUnit } from './group.ts'
import { pluginOf, unitsOf } from './units.ts'

/** Longest wait for the files of new configurations, in ms. They take less than one, unless a folder of the network hangs. */
const WAIT_MS = 200

/** Decides which units may run twice for a moment: tasks of STARTED connectors whose source can hand over (`handOver`). */
export class Overlaps {
  readonly #plugins: readonly SourcePlugin[]
  readonly #environment: PropsEnvironment
  /** By stored configuration: whether the source can hand over. Only those with references, whose files take time to read. */
  readonly #learnt = new WeakMap<Props, boolean>()
  /** Resolves when the configuration is learnt, and `WAIT_MS` after its files were asked for at the latest. */
  readonly #waits = new WeakMap<Props, Promise<void>>()

  constructor(plugins: readonly SourcePlugin[], environment: PropsEnvironment) {
    this.#plugins = plugins
    this.#environment = environment
  }

  /**
   * Resolves the references of the tasks' configurations that are new, for `allowed`, and waits for that for a moment at most: a file
   * that cannot be read must not hold the assignment of all tasks. What comes later is known in the next round. Never rejects.
   */
  async learn(snapshot: ConfigSnapshot): Promise<void> {
    const waits = unitsOf(snapshot, this.#plugins).tasks.flatMap((unit) => {
      const found = this.#find(snapshot, unit)
      if (found === null || !refersToProviders(found.stored)) return []
      const wait = this.#waits.get(found.stored) ?? this.#learn(found)
      this.#waits.set(found.stored, wait)
      return [wait]
    })
    await Promise.all(waits)
  }

  async #learn({ plugin, stored }: Found): Promise<void> {
    const learnt = resolveProps(this.#environment, plugin, stored)
      .then(
        ({ props }) => canHandOver(plugin, props),
        // The task's start reports the error.
        () => false,
      )
      .then((can) => void this.#learnt.set(stored, can))
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, WAIT_MS)
    await Promise.race([learnt, late])
    clearTimeout(timer)
  }

  /** A configuration whose references are not resolved yet is not allowed: its task moves without overlap. */
  allowed(snapshot: ConfigSnapshot, unit: string): boolean {
    const found = this.#find(snapshot, unit)
    if (found === null || snapshot.targetState(parseUnit(unit).connector) !== 'STARTED') return false
    const { plugin, stored } = found
    if (refersToProviders(stored)) return this.#learnt.get(stored) ?? false
    return canHandOver(plugin, { ...this.#environment.defaults, ...stored })
  }

  #find(snapshot: ConfigSnapshot, unit: string): Found | null {
    const { connector, task } = parseUnit(unit)
    const stored = task === null ? undefined : snapshot.tasks(connector)[task]
    const plugin = pluginOf(snapshot, this.#plugins, connector, stored)
    return stored && plugin?.handOver ? { plugin, stored } : null
  }
}

interface Found {
  readonly plugin: SourcePlugin
  readonly stored: Props
}

function canHandOver(plugin: SourcePlugin, props: Props): boolean {
  try {
    return handOverPolicyOf(plugin, props) !== null
  } catch {
    // The configuration is invalid. The unit moves without overlap, and its start reports the error.
    return false
  }
}
