import { namesOf, type PluginEntry, pluginKey, type PluginStore } from '@tributary/connect-storage'
import type { Logger } from '@tributary/telemetry'
import type { GroupReader } from './workers.ts'

export interface LivePluginsOptions {
  readonly plugins: PluginStore
  readonly groups: GroupReader
  /** The group of a service is `<cluster>-<service>`. */
  readonly cluster: string
  readonly log: Logger
}

/** ms between two looks at the groups, while a name has several entries. */
const LOOK_MS = 10_000
const GROUP_TIMEOUT_MS = 2000
/** Services that are asked in one look. A cluster has a handful. */
const MAX_SERVICES = 100
const ALL_SERVICES = '*'

/** The plugins that the live workers of a service have; `any`: a worker of an earlier version does not tell. */
type Announced = ReadonlySet<string> | 'any'

/**
 * Tells the plugin store which versions of a class live workers have, as the metadata of the services' groups says. An
 * entry stays in the topic when its version has gone, and anybody who may write there can add a higher one.
 */
export class LivePlugins {
  readonly #options: LivePluginsOptions
  readonly #announced = new Map<string, Announced>()
  #timer: NodeJS.Timeout | null = null
  #looking: Promise<void> | null = null
  #closed = false

  constructor(options: LivePluginsOptions) {
    this.#options = options
  }

  /** Looks now, when the topic changes, and from time to time. Returns a function that ends this. */
  follow(): () => void {
    const unlisten = this.#options.plugins.listen(() => this.#lookAgain(0))
    this.#lookAgain(0)
    return () => {
      this.#closed = true
      if (this.#timer) clearTimeout(this.#timer)
      unlisten()
    }
  }

  /** Asks the groups of all services, if a name has several entries. Never rejects. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => (this.#looking = null))
    return this.#looking
  }

  #lookAgain(afterMs: number): void {
    if (this.#closed) return
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.look().then(() => this.#lookAgain(LOOK_MS)), afterMs).unref()
  }

  async #look(): Promise<void> {
    const { plugins, log } = this.#options
    const versions = plugins.versions()
    if (!severalOfOne(versions)) return
    const services = [...new Set(versions.map(({ service }) => service))].filter((service) => service !== ALL_SERVICES)
    for (const service of services.slice(0, MAX_SERVICES)) {
      try {
        const announced = await this.#ask(service)
        if (announced !== null) this.#announced.set(service, announced)
      } catch (error) {
        // What is known stays: Kafka may be away for long while workers live on.
        log.debug('live_plugins_unknown', { service, error })
      }
    }
    for (const service of this.#announced.keys()) if (!services.includes(service)) this.#announced.delete(service)
    plugins.preferLive((plugin) => this.#isLive(plugin))
  }

  /** null while the group rebalances: Kafka does not list what its members say. */
  async #ask(service: string): Promise<Announced | null> {
    const { groups, cluster } = this.#options
    const signal = AbortSignal.timeout(GROUP_TIMEOUT_MS)
    const { members } = await groups.describeGroup(`${cluster}-${service}`, { signal })
    const lists = members.map(({ metadata }) => metadata as { readonly plugins?: unknown } | null)
    if (lists.includes(null)) return null
    const keys = lists.map((metadata) => metadata?.plugins)
    return keys.every((each) => Array.isArray(each)) ? new Set(keys.flat() as string[]) : 'any'
  }

  #isLive(plugin: PluginEntry): boolean {
    const has = (announced: Announced | undefined): boolean =>
      announced === 'any' || announced?.has(pluginKey(plugin)) === true
    if (plugin.service !== ALL_SERVICES) return has(this.#announced.get(plugin.service))
    return [...this.#announced.values()].some(has)
  }
}

/** Whether a name may mean several entries, as versions of one class or by their aliases. Only then it matters who runs what. */
function severalOfOne(versions: readonly PluginEntry[]): boolean {
  const names = versions.flatMap((plugin) => [...new Set(namesOf(plugin))].map((name) => `${plugin.type}:${name}`))
  return new Set(names).size < names.length
}
