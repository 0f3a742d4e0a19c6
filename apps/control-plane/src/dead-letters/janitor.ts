import { sleep } from '@tributary/async'
import type { DeadLetterStore, LetterEvent } from '@tributary/connect-storage'
import type { KafkaAdmin } from '@tributary/kafka'
import type { Logger } from '@tributary/telemetry'
import type { FollowedTopics } from './followed-topics.ts'
import { hasEnded } from './replays.ts'

export interface JanitorOptions {
  readonly store: DeadLetterStore
  readonly topics: Pick<KafkaAdmin, 'describeTopics' | 'listOffsets'>
  readonly followed: Pick<FollowedTopics, 'isNamed'>
  readonly log: Logger
}

const EVERY_MS = 600_000
/** Replays that have ended are kept for so long, in ms, and so many of them. */
const KEPT = { ms: 30 * 86_400_000, count: 1000 } as const
/** Tombstones of one transaction. */
const AT_ONCE = 1000

/** First offsets by partition; null: the topic does not exist. */
type Starts = ReadonlyMap<string, ReadonlyMap<number, bigint> | null>

/** Removes what is about letters that Kafka has no longer, and replays that ended long ago. The leader does it now and then. */
export class Janitor {
  readonly #options: JanitorOptions

  constructor(options: JanitorOptions) {
    this.#options = options
  }

  /** Until the signal aborts. */
  lead(term: AbortSignal): void {
    void this.#clean(term)
  }

  async #clean(term: AbortSignal): Promise<void> {
    while (!term.aborted) {
      await sleep(EVERY_MS, term).catch(() => undefined)
      try {
        if (!term.aborted) await this.clean(Date.now())
      } catch (error) {
        if (!term.aborted) this.#options.log.warn('dead_letters_unclean', { error })
      }
    }
  }

  /** `now`: ms since the epoch. Rejects when Kafka does not answer, or the store cannot be written. */
  async clean(now: number): Promise<void> {
    const { store, followed } = this.#options
    const { snapshot } = store
    const ended = snapshot.replays().filter(hasEnded)
    const old = ended.filter(({ completedAt }, i) => i >= KEPT.count || (completedAt ?? 0) < now - KEPT.ms)
    // An event of a replay under way counts, whether or not its letters are there.
    const done = [...snapshot.events()].filter(({ kind, replay }) => {
      const of = replay === undefined ? null : snapshot.replay(replay)
      return kind !== 'taken' && (of === null || hasEnded(of))
    })
    const named = new Set([...snapshot.topics(), ...done.flatMap(({ letters }) => Object.keys(letters))])
    const starts = await this.#starts([...named])
    const events = done.filter((event) => isGone(event, starts)).map(({ id }) => id)
    const topics = [...snapshot.topics()].filter((topic) => starts.get(topic) === null && !followed.isNamed(topic))
    await store.write({ gone: { replays: old.map(({ id }) => id), topics } })
    for (let at = 0; at < events.length; at += AT_ONCE) {
      await store.write({ gone: { events: events.slice(at, at + AT_ONCE) } })
    }
  }

  async #starts(names: readonly string[]): Promise<Starts> {
    const { topics } = this.#options
    const described = await topics.describeTopics(names)
    const starts = new Map<string, ReadonlyMap<number, bigint> | null>()
    for (const name of names) {
      starts.set(name, described.get(name) ? await topics.listOffsets(name, 'earliest') : null)
    }
    return starts
  }
}

/** Whether Kafka has none of the event's letters any more. */
function isGone({ letters }: LetterEvent, starts: Starts): boolean {
  return Object.entries(letters).every(([topic, partitions]) => {
    const first = starts.get(topic)
    if (first === undefined) return false
    return Object.entries(partitions).every(([partition, runs]) => {
      const start = first?.get(Number(partition))
      const [from, count] = runs.at(-1) ?? [0, 0]
      return start === undefined || BigInt(from + count) <= start
    })
  })
}
