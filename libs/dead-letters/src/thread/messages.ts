import type { LetterEvent } from '@tributary/connect-storage'
import type { DeadLetterIndexState, LetterAddress, LetterPage, LetterRow, LetterStats } from '../types.ts'
import type { PageOfLetters } from '../store/letter-queries.ts'
import type { StoredFilter } from '../store/letter-search.ts'

/** What the thread is started with. */
export interface ThreadData {
  /** Made by packConnection. */
  readonly connection: string
  readonly folder: string
  /** Of the database; the oldest letters leave it above. */
  readonly maxBytes: number
  /** How often the topics are looked at: whether they are there, their partitions and ends; in ms. */
  readonly lookMs: number
}

/** What the thread can be asked, and its answers. */
export interface Operations {
  follow: (topics: readonly string[]) => void
  apply: (events: readonly LetterEvent[]) => void
  query: (filter: StoredFilter, page: PageOfLetters) => LetterPage
  stats: (filter: StoredFilter) => LetterStats
  select: (filter: StoredFilter, limit: number, after?: LetterRow) => readonly LetterRow[]
  find: (places: readonly LetterAddress[]) => readonly (LetterRow | null)[]
  count: (filter: StoredFilter) => number
  stop: () => void
}

export interface Request {
  readonly id: number
  readonly operation: keyof Operations
  readonly args: readonly unknown[]
}

export type FromThread =
  | { readonly kind: 'answer'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: string }
  | { readonly kind: 'open' }
  | { readonly kind: 'state'; readonly state: DeadLetterIndexState }
  /** Connectors of letters that were not told before. */
  | { readonly kind: 'connectors'; readonly names: readonly string[] }
  | { readonly kind: 'log'; readonly level: 'info' | 'warn' | 'error'; readonly event: string; readonly fields: object }
