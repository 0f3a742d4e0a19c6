import { fromJson, isObject, toJson } from './connect-json.ts'
import { Listeners } from './listeners.ts'
import { StoreLog, type StoreLogOptions } from './store-log.ts'
import type { PluginEntry, PluginStore } from './types.ts'

/**
 * The store of the plugins topic, which Kafka Connect does not have. The key is `<class>@<version>` for a connector and
 * `<type>:<class>@<version>` for any other plugin, because one class may be a converter and a header converter. The
 * value is the entry as JSON.
 */
export class KafkaPluginStore implements PluginStore {
  /** The entries by key. */
  readonly #entries = new Map<string, PluginEntry>()
  /** Built from the entries on demand and then kept, because every answer about a connector looks a plugin up. */
  #catalog: PluginCatalog | null = null
  readonly #listeners: Listeners<() => void>
  readonly #log: StoreLog

  constructor(options: Omit<StoreLogOptions, 'onRecord'>) {
    this.#listeners = new Listeners(options.log)
    this.#log = new StoreLog({
      ...options,
      onRecord: (record, key, live) => {
        const entry = record.value === null ? null : readPlugin(record.value)
        if (entry) this.#entries.set(key, entry)
        else this.#entries.delete(key)
        this.#catalog = null
        if (live) this.#listeners.notify((listener) => listener())
      },
    })
  }

  /** See StoreLog. */
  get trouble(): string | null {
    return this.#log.trouble
  }

  start(signal: AbortSignal): Promise<void> {
    return this.#log.start(signal)
  }

  plugins(): readonly PluginEntry[] {
    return this.#plugins.all
  }

  find(name: string): PluginEntry | null {
    return this.#plugins.byName.get(name) ?? null
  }

  listen(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  async publish(plugin: PluginEntry): Promise<void> {
    const key = `${kindOf(plugin)}${plugin.class}@${plugin.version}`
    // The order of a spec's keys is kept: documentation and REST answers show it.
    const json = toJson(plugin)
    const present = this.#entries.get(key)
    if (present && toJson(present) === json) return
    await this.#log.append([{ key, value: Buffer.from(json) }])
  }

  stop(): Promise<void> {
    return this.#log.stop()
  }

  get #plugins(): PluginCatalog {
    return (this.#catalog ??= catalogOf(this.#entries.values()))
  }
}

interface PluginCatalog {
  /** The highest version of each class, sorted by name. */
  readonly all: readonly PluginEntry[]
  readonly byName: ReadonlyMap<string, PluginEntry>
}

function catalogOf(entries: Iterable<PluginEntry>): PluginCatalog {
  const highest = new Map<string, PluginEntry>()
  for (const entry of entries) {
    const name = kindOf(entry) + entry.class
    const other = highest.get(name)
    if (!other || compareVersions(entry.version, other.version) > 0) highest.set(name, entry)
  }
  const all = [...highest.values()].sort((a, b) => (a.class < b.class ? -1 : 1))
  const byName = new Map<string, PluginEntry>()
  const add = (name: string, plugin: PluginEntry): void => {
    if (!byName.has(name)) byName.set(name, plugin)
  }
  // A full name finds its class first, even if it is another class's short name. A connector is found before any other
  // type of plugin.
  const classes = (plugin: PluginEntry): string[] => [plugin.class, ...plugin.aliases]
  const ordered = [...all.filter((plugin) => kindOf(plugin) === ''), ...all.filter((plugin) => kindOf(plugin) !== '')]
  for (const plugin of ordered) for (const name of classes(plugin)) add(name, plugin)
  for (const plugin of ordered) for (const name of classes(plugin).flatMap(shortNames)) add(name, plugin)
  return { all, byName }
}

/** '' for a connector, `<type>:` for any other plugin. */
function kindOf({ type }: PluginEntry): string {
  return type === 'source' || type === 'sink' ? '' : `${type}:`
}

/** Connect's plugin aliases: the simple name, and the simple name without `Connector` (`FileStreamSource`). */
function shortNames(className: string): string[] {
  const simple = className.slice(className.lastIndexOf('.') + 1)
  return [simple, simple.replace(/Connector$/, '')]
}

function readPlugin(bytes: Uint8Array): PluginEntry {
  const value = fromJson(bytes)
  if (!isObject(value) || typeof value['class'] !== 'string' || typeof value['version'] !== 'string') {
    throw new Error('the value is not a plugin')
  }
  return { ...(value as unknown as PluginEntry), aliases: (value['aliases'] as string[] | undefined) ?? [] }
}

/**
 * Compares dotted numbers by value: `1.10.0` is above `1.9.0`. A release is above its pre-release: `2.0.0` above
 * `2.0.0-rc1`.
 */
export function compareVersions(a: string, b: string): number {
  const parse = (version: string): [core: number[], pre: string] => {
    const [core = '', pre = ''] = version.split(/-(.*)/s)
    return [core.split('.').map(Number), pre]
  }
  const [coreA, preA] = parse(a)
  const [coreB, preB] = parse(b)
  for (let i = 0; i < Math.max(coreA.length, coreB.length); i++) {
    const difference = (coreA[i] ?? 0) - (coreB[i] ?? 0)
    if (difference) return difference
  }
  if (preA === preB) return 0
  if (preA === '' || preB === '') return preA === '' ? 1 : -1
  return preA < preB ? -1 : 1
}
