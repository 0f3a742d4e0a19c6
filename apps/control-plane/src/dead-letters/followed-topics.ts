import type { Validator } from '@tributary/config'
import type {
  ConfigStore,
  ConnectorConfig,
  DeadLetterStore,
  PluginEntry,
  PluginStore,
} from '@tributary/connect-storage'

/** Kafka Connect's own key, which no plugin declares. */
const DEAD_LETTER_TOPIC = 'errors.deadletterqueue.topic.name'

export interface FollowedTopicsOptions {
  readonly config: ConfigStore
  readonly plugins: PluginStore
  readonly store: DeadLetterStore
  /** `dlq.topics` of the settings. */
  readonly always: readonly string[]
  /** Called with all topics whenever there are new ones. */
  readonly onTopics: (topics: readonly string[]) => void
}

/**
 * The dead-letter topics: those that connectors name, in Kafka Connect's key or in a key that the spec of the plugin declares to
 * be one; those of the settings; and those that the store remembers of connectors that are gone or have changed.
 */
export class FollowedTopics {
  readonly #options: FollowedTopicsOptions
  readonly #known = new Set<string>()
  readonly #unlisten: readonly (() => void)[]
  #looking = false

  constructor(options: FollowedTopicsOptions) {
    this.#options = options
    const { config, plugins, store } = options
    const look = (): void => this.#lookSoon()
    this.#unlisten = [
      config.listen({ connectorConfigUpdated: look }),
      plugins.listen(look),
      store.listen({ changed: look }),
    ]
    this.#look()
  }

  /** Topics that connectors name now, and the store does not remember yet. */
  unremembered(): readonly string[] {
    const remembered = this.#options.store.snapshot.topics()
    return [...this.#named()].filter((topic) => !remembered.has(topic))
  }

  /** Whether a connector names the topic now, or the settings do. */
  isNamed(topic: string): boolean {
    return this.#options.always.includes(topic) || this.#named().has(topic)
  }

  stop(): void {
    for (const unlisten of this.#unlisten) unlisten()
  }

  /** One look for all records of one answer of Kafka: a look costs as much as there are connectors. */
  #lookSoon(): void {
    if (this.#looking) return
    this.#looking = true
    setImmediate(() => {
      this.#looking = false
      this.#look()
    })
  }

  #look(): void {
    const { always, store, onTopics } = this.#options
    const before = this.#known.size
    for (const topic of [...always, ...store.snapshot.topics(), ...this.#named()]) this.#known.add(topic)
    if (this.#known.size > before) onTopics([...this.#known])
  }

  #named(): ReadonlySet<string> {
    const { config, plugins } = this.#options
    const named = new Set<string>()
    for (const connector of config.snapshot.connectors()) {
      const settings = config.snapshot.config(connector) ?? {}
      for (const topic of deadLetterTopics(settings, plugins.find(settings['connector.class'] ?? ''))) named.add(topic)
    }
    return named
  }
}

/** The dead-letter topics of one connector. A name with a `${…}` is known to its worker alone: `dlq.topics` has to name it. */
export function deadLetterTopics(config: ConnectorConfig, plugin: Pick<PluginEntry, 'spec'> | null): readonly string[] {
  const keys = Object.entries(plugin?.spec.keys ?? {}).flatMap(([key, { validator }]) =>
    isDeadLetterTopic(validator) ? [key] : [],
  )
  return [DEAD_LETTER_TOPIC, ...keys].flatMap((key) => {
    const topic = (config[key] ?? '').trim()
    return /^[a-zA-Z0-9._-]{1,249}$/.test(topic) ? [topic] : []
  })
}

function isDeadLetterTopic(validator: Validator | undefined): boolean {
  if (validator?.kind === 'all') return validator.of.some(isDeadLetterTopic)
  return validator?.kind === 'topicName' && validator.deadLetters === true
}
