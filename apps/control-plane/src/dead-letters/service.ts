import type { ConfigStore, DeadLetterStore, PluginStore } from '@tributary/connect-storage'
import type { DeadLetterIndex } from '@tributary/dead-letters'
import type { Logger } from '@tributary/telemetry'
import type { RecordMask } from '../access/record-mask.ts'
import type { ConnectorViews } from '../services/connector-views.ts'
import type { Workers } from '../services/workers.ts'
import { DeadLetters } from './dead-letters.ts'
import { FollowedTopics } from './followed-topics.ts'
import { EventIds } from './ids.ts'
import { IndexFeed } from './index-feed.ts'
import { Janitor, type JanitorOptions } from './janitor.ts'
import type { ReadLetter } from './letter-reader.ts'
import { ReplayCounts } from './replay-counts.ts'
import { TaskWorkers } from './replay-workers.ts'
import { Replays } from './replays.ts'
import { TopicMemory } from './topic-memory.ts'

/** What the process brings. The store is started. */
export interface DeadLetterParts {
  readonly store: DeadLetterStore
  readonly index: DeadLetterIndex
  readonly read: ReadLetter
  readonly kafka: JanitorOptions['topics']
  /** `dlq.topics` */
  readonly topics: readonly string[]
  /** `dlq.max.replays` */
  readonly maxReplays: number
  /** Called once, with the service. */
  readonly onService: (service: DeadLetterService) => void
}

export interface DeadLetterServiceOptions extends DeadLetterParts {
  readonly config: ConfigStore
  readonly plugins: PluginStore
  readonly views: ConnectorViews
  readonly workers: Workers
  readonly refusedTopic: (topic: string) => string | null
  /** Hides fields of the records that are shown. */
  readonly mask: RecordMask
  readonly log: Logger
}

/** Dead letters in one replica: it follows their topics, feeds its index, and drives the replays while it leads. */
export class DeadLetterService {
  readonly letters: DeadLetters
  /** What replays of this replica have done since its start. */
  readonly counts: ReplayCounts
  readonly #feed: IndexFeed
  readonly #followed: FollowedTopics
  readonly #replays: Replays
  readonly #memory: TopicMemory
  readonly #janitor: Janitor

  constructor(options: DeadLetterServiceOptions) {
    const { store, index, read, maxReplays, topics, refusedTopic, log, config, plugins, mask } = options
    const ids = new EventIds()
    const workers = new TaskWorkers(options)
    this.counts = new ReplayCounts(index)
    this.#feed = new IndexFeed(store, index, log)
    this.#followed = new FollowedTopics({
      config,
      plugins,
      store,
      always: topics,
      onTopics: (all) => index.follow(all),
    })
    const shared = { store, index, feed: this.#feed, workers, maxReplays }
    const onOutcomes = this.counts.add.bind(this.counts)
    this.#replays = new Replays({ ...shared, eventId: () => ids.next(), onOutcomes, log })
    this.letters = new DeadLetters({ ...shared, replays: this.#replays, ids, read, refusedTopic, mask })
    this.#memory = new TopicMemory(this.#followed, store, log)
    this.#janitor = new Janitor({ store, topics: options.kafka, followed: this.#followed, log })
    options.onService(this)
  }

  /** Does what the leader does, until the signal aborts. The store is claimed. */
  lead(term: AbortSignal): void {
    this.#memory.lead(term)
    this.#janitor.lead(term)
    this.#replays.lead(term)
  }

  /** Resolves when this replica shows what its store has read. */
  settled(): Promise<void> {
    return this.#feed.settled()
  }

  async stop(): Promise<void> {
    this.#followed.stop()
    await this.#replays.settled()
    await this.#feed.stop()
  }
}
