import { type DeadLetterStore, type LetterEvent, letterSets, type LetterStatus } from '@tributary/connect-storage'
import type { DeadLetterIndex, LetterFilter, LetterRow } from '@tributary/dead-letters'
import type { IndexFeed } from './index-feed.ts'
import type { Replays } from './replays.ts'

export type Change = 'discarded' | 'reopened' | 'annotated'

/** Letters of these statuses are changed; those of a replay under way are not, but for a note. */
const OF: Readonly<Record<Change, readonly LetterStatus[]>> = {
  discarded: ['UNRESOLVED', 'QUARANTINED', 'SUPERSEDED'],
  reopened: ['RESOLVED', 'DISCARDED', 'QUARANTINED', 'SUPERSEDED'],
  annotated: ['UNRESOLVED', 'IN_PROGRESS', 'RESOLVED', 'DISCARDED', 'QUARANTINED', 'SUPERSEDED'],
}
const AT_ONCE = 10_000

export interface ChangeParts {
  readonly store: DeadLetterStore
  readonly index: Pick<DeadLetterIndex, 'select'>
  readonly feed: Pick<IndexFeed, 'settled'>
  readonly replays: Pick<Replays, 'exclusively'>
  readonly eventId: () => string
}

/** Writes the change of up to `limit` letters; resolves with how many there were. */
export function changeLetters(
  { store, index, feed, replays, eventId }: ChangeParts,
  kind: Change,
  asked: { readonly filter: LetterFilter; readonly limit: number; readonly by: string; readonly notes: string | null },
): Promise<number> {
  const { filter, limit, by, notes } = asked
  const statuses = OF[kind].filter((status) => filter.statuses?.includes(status) ?? true)
  if (statuses.length === 0) return Promise.resolve(0)
  // Not while a replay takes letters: a letter that was just taken must not be discarded.
  return replays.exclusively(async () => {
    let changed = 0
    for (let after: LetterRow | undefined; changed < limit;) {
      await feed.settled()
      const rows = await index.select({ ...filter, statuses }, Math.min(AT_ONCE, limit - changed), after)
      if (rows.length === 0) break
      after = rows.at(-1)
      const at = Date.now()
      const events = letterSets(rows).map((letters): LetterEvent => {
        return { id: eventId(), at, by, kind, letters, ...(notes !== null && { notes }) }
      })
      await store.write({ events })
      changed += rows.length
    }
    await feed.settled()
    return changed
  })
}
