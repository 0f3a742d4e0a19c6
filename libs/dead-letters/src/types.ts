import type { ErrorType } from '@tributary/connect-api'
import type { LetterEvent, LetterStatus } from '@tributary/connect-storage'

export { LETTER_STATUSES, type LetterEvent, type LetterSet, type LetterStatus } from '@tributary/connect-storage'

/** Where a dead letter lies. Its offset is a decimal number. */
export interface LetterAddress {
  readonly topic: string
  readonly partition: number
  readonly offset: string
}

/** A dead letter in the index. Times are in ms since the epoch. */
export interface LetterRow extends LetterAddress {
  /** A UUID, the same in every replica, made of the address. */
  readonly id: string
  readonly connector: string | null
  readonly task: number | null
  /** Of the record that failed. */
  readonly originalTopic: string | null
  readonly originalPartition: number | null
  readonly originalOffset: string | null
  readonly errorType: ErrorType
  /** At most 2,000 characters. */
  readonly message: string
  readonly stage: string | null
  readonly className: string | null
  readonly traceId: string | null
  /** The record's time, and when it became a dead letter. */
  readonly timestamp: number
  readonly failedAt: number
  readonly keySize: number | null
  readonly valueSize: number | null
  readonly isCut: boolean
  readonly status: LetterStatus
  /** Replays in which the record failed. */
  readonly failedReplays: number
  readonly lastReplay: string | null
  readonly lastReplayAt: number | null
  readonly notes: string | null
  readonly resolvedAt: number | null
  readonly resolvedBy: string | null
}

export interface LetterFilter {
  readonly ids?: readonly string[]
  /** Names of connectors; absent: all that `visible` lets through. */
  readonly connectors?: readonly string[]
  readonly topics?: readonly string[]
  readonly originalTopics?: readonly string[]
  readonly errorTypes?: readonly ErrorType[]
  readonly statuses?: readonly LetterStatus[]
  /** Of `failedAt`: inclusive, ms since the epoch. */
  readonly from?: number
  readonly to?: number
  /** Words in the message; with `inPayload` also in key and value. */
  readonly text?: string
  readonly inPayload?: boolean
  /** The connectors that the caller may see; null: a letter without a connector. Absent: all. */
  readonly visible?: (connector: string | null) => boolean
}

export interface LetterPage {
  readonly records: readonly LetterRow[]
  /** All that the filter finds. */
  readonly total: number
  /** null: no more follow. */
  readonly next: string | null
}

export interface LetterStats {
  readonly total: number
  readonly byErrorType: Readonly<Record<string, number>>
  readonly byStatus: Readonly<Record<string, number>>
  readonly byConnector: Readonly<Record<string, number>>
  readonly byTopic: Readonly<Record<string, number>>
  readonly byOriginalTopic: Readonly<Record<string, number>>
}

export interface DeadLetterIndexState {
  /** Whether all that was in Kafka at the start is in the index. Queries before that answer what is there. */
  readonly ready: boolean
  readonly indexed: number
  /** Records in the topics that are not in the index yet. */
  readonly behind: number
  /** Why a topic cannot be read, in sentences. */
  readonly troubles: readonly string[]
}

/** Answers within the times of README.md. All of SQLite is in a thread of its own. */
export interface DeadLetterIndex {
  readonly state: DeadLetterIndexState
  start(signal: AbortSignal): Promise<void>
  /** The dead-letter topics to follow from now on, beside those that it follows. A topic that does not exist yet is awaited. */
  follow(topics: readonly string[]): void
  /** Events in their order, as the state topic has them. `at`: the offset after the last of them. */
  apply(events: readonly LetterEvent[]): Promise<void>
  /** Newest first. `cursor`: `next` of the page before; or `offset`: rows to skip. `limit`: 1 to 1,000. */
  query(filter: LetterFilter, page: { limit: number; cursor?: string; offset?: number }): Promise<LetterPage>
  stats(filter: LetterFilter): Promise<LetterStats>
  /** In the order in which they failed, oldest first: what a replay takes. `after`: the last row of the call before. */
  select(filter: LetterFilter, limit: number, after?: LetterRow): Promise<readonly LetterRow[]>
  /** The letters at these places, in their order; null: there is none, or it is not indexed. */
  find(places: readonly LetterAddress[]): Promise<readonly (LetterRow | null)[]>
  /** How many the filter finds. */
  count(filter: LetterFilter): Promise<number>
  stop(): Promise<void>
}
