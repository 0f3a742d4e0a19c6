import type { ErrorType, ReplayEdit } from '@tributary/connect-api'

/**
 * UNRESOLVED: nothing was done. IN_PROGRESS: a replay has it. RESOLVED: a replay wrote it. DISCARDED: an operator gave it up.
 * QUARANTINED: it failed in too many replays. SUPERSEDED: a later record of its key was written since.
 */
export const LETTER_STATUSES = [
  'UNRESOLVED',
  'IN_PROGRESS',
  'RESOLVED',
  'DISCARDED',
  'QUARANTINED',
  'SUPERSEDED',
] as const
export type LetterStatus = (typeof LETTER_STATUSES)[number]

/** Letters by topic and partition: runs of `[first offset, how many]` in ascending order. */
export type LetterSet = Readonly<Record<string, Readonly<Record<string, readonly (readonly [number, number])[]>>>>

export const LETTER_EVENT_KINDS = [
  'taken',
  'written',
  'filtered',
  'failed',
  'superseded',
  'quarantined',
  'discarded',
  'reopened',
  'released',
  'annotated',
] as const

/**
 * What was done about some letters. Events have one order: that of their records in Kafka. `taken`: a replay has them;
 * `released`: it has them no longer, and did nothing. `reopened`: an operator wants them to be UNRESOLVED again, as if no replay
 * had failed.
 */
export interface LetterEvent {
  /** Unique; later ones are greater. */
  readonly id: string
  /** ms since the epoch. */
  readonly at: number
  readonly by: string
  readonly kind: (typeof LETTER_EVENT_KINDS)[number]
  readonly letters: LetterSet
  readonly replay?: string
  readonly notes?: string
  /** Of `failed`: the last error. */
  readonly error?: { readonly type: ErrorType; readonly message: string }
}

export const REPLAY_STATES = [
  'scheduled',
  'queued',
  'in_progress',
  'completed',
  'partially_completed',
  'failed',
  'cancelled',
] as const
export type ReplayState = (typeof REPLAY_STATES)[number]

/** Which letters a replay takes. Lists are null for "all". Times are in ms since the epoch, inclusive. */
export interface ReplayChoice {
  readonly ids: readonly string[] | null
  /** null in the list: letters that name no connector. */
  readonly connectors: readonly (string | null)[] | null
  readonly topics: readonly string[] | null
  readonly originalTopics: readonly string[] | null
  readonly errorTypes: readonly ErrorType[] | null
  readonly statuses: readonly LetterStatus[] | null
  readonly from: number | null
  readonly to: number | null
  readonly text: string | null
  readonly inPayload: boolean
  readonly limit: number
}

/** What was asked for, and how far it is. A replay is one record, written anew at each change of its state. */
export interface Replay {
  readonly id: string
  readonly at: number
  readonly by: string
  readonly state: ReplayState
  readonly choice: ReplayChoice
  readonly strategy: 'immediate' | 'scheduled' | 'rate_limited'
  /** ms since the epoch; null: at once. */
  readonly scheduledAt: number | null
  /** Letters a second; null: no limit. */
  readonly rate: number | null
  readonly targetTopic: string | null
  readonly edits: readonly ReplayEdit[]
  readonly force: boolean
  readonly notes: string | null
  /** The connector that replays the letters that name none; null: these fail. */
  readonly connector: string | null
  /** Letters: as counted at first, then as taken. */
  readonly count: number
  /** Whether all letters are in chunks. */
  readonly chosen: boolean
  readonly startedAt: number | null
  readonly completedAt: number | null
  /** Why the replay does not go on at present, in a sentence. */
  readonly waitingFor: string | null
  /** Who cancelled it; null: nobody. */
  readonly cancelledBy: string | null
  /** The last word, once the replay has ended; before, `DeadLetterState.results` counts. */
  readonly results: ReplayResults | null
  readonly failures: readonly ReplayFailure[]
}

export interface ReplayResults {
  readonly success: number
  readonly failed: number
  readonly skipped: number
}

export interface ReplayFailure {
  readonly id: string
  readonly topic: string
  readonly partition: number
  readonly offset: string
  readonly type: ErrorType
  readonly message: string
}

/** Letters that a replay has taken, all for one task of one connector. */
export interface ReplayChunk {
  readonly replay: string
  /** From 0 on, in the order in which they are written. */
  readonly number: number
  readonly at: number
  readonly by: string
  /** null: nobody knows. */
  readonly connector: string | null
  readonly task: number | null
  readonly letters: LetterSet
}
