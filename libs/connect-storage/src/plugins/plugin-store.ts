import { toJson } from '../connect-json.ts'
import { Listeners } from '../log/listeners.ts'
import { catalogOf, type PluginCatalog } from './plugin-catalog.ts'
import { pluginKey, readPluginRecord } from './plugin-records.ts'
import { StoreLog, type StoreLogOptions } from '../log/store-log.ts'
import type { PluginEntry, PluginStore } from '../types.ts'

/** Entries of more classes and versions than this are not taken, so that nobody can fill the memory with them. */
const MAX_PLUGINS = 2000

/**
 * The store of the plugins topic, which Kafka Connect does not have. For the key see `pluginKey`; the value is the entry
 * as JSON.
 */
export class KafkaPluginStore implements PluginStore {
  /** The entries by key. */
  readonly #entries = new Map<string, PluginEntry>()
  /** Built from the entries on demand and then kept, because every answer about a connector looks a plugin up. */
  #catalog: PluginCatalog | null = null
  #isLive: (plugin: PluginEntry) => boolean = () => false
  readonly #listeners: Listeners<() => void>
  readonly #log: StoreLog

  constructor(options: Omit<StoreLogOptions, 'onRecord'>) {
    this.#listeners = new Listeners(options.log)
    this.#log = new StoreLog({
      ...options,
      parse: readPluginRecord,
      onRecord: (record, key, live) => {
        this.#apply(key, readPluginRecord(key, record.value))
        if (live) this.#listeners.notify((listener) => listener())
      },
    })
  }

  /** The name of the topic; known after `start`. */
  get topic(): string {
    return this.#log.topicName
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

  versions(): readonly PluginEntry[] {
    return [...this.#entries.values()]
  }

  preferLive(isLive: (plugin: PluginEntry) => boolean): void {
    this.#isLive = isLive
    this.#catalog = null
  }

  listen(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  async publish(plugin: PluginEntry): Promise<void> {
    const key = pluginKey(plugin)
    // The order of a spec's keys is kept: documentation and REST answers show it.
    const json = toJson(plugin)
    const present = this.#entries.get(key)
    if (present && toJson(present) === json) return
    await this.#log.append([{ key, value: Buffer.from(json) }])
  }

  stop(): Promise<void> {
    return this.#log.stop()
  }

  #apply(key: string, entry: PluginEntry | null): void {
    if (entry === null) this.#entries.delete(key)
    else if (this.#entries.has(key) || this.#entries.size < MAX_PLUGINS) this.#entries.set(key, entry)
    else throw new Error(`the topic holds more than ${MAX_PLUGINS} plugins`)
    this.#catalog = null
  }

  get #plugins(): PluginCatalog {
    return (this.#catalog ??= catalogOf(this.#entries.values(), this.#isLive))
  }
}
