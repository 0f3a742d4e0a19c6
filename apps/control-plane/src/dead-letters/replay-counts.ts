import type { LetterPlace } from '@tributary/connect-storage'
import type { DeadLetterIndex } from '@tributary/dead-letters'
import type { Outcome } from './replay-batches.ts'

/** Tables that are counted apart; the letters of further ones count for `other`. */
const MAX_TABLES = 1000

/** Letters that replays of this process have written, or have not, by the topic for which they were meant. */
export class ReplayCounts {
  readonly success = new Map<string, number>()
  readonly failed = new Map<string, number>()
  readonly #index: Pick<DeadLetterIndex, 'find'>

  constructor(index: Pick<DeadLetterIndex, 'find'>) {
    this.#index = index
  }

  add(letters: readonly LetterPlace[], outcomes: readonly Outcome[]): void {
    const failed: LetterPlace[] = []
    letters.forEach((letter, i) => {
      const outcome = outcomes[i]!
      if (outcome.outcome === 'written') count(this.success, outcome.topic)
      else if (outcome.outcome === 'failed' || outcome.outcome === 'gone') failed.push(letter)
    })
    if (failed.length === 0) return
    const unknown = (): null[] => failed.map(() => null)
    void this.#index
      .find(failed)
      .catch(unknown)
      .then((rows) => rows.forEach((row) => count(this.failed, row?.originalTopic ?? 'unknown')))
  }
}

function count(counts: Map<string, number>, table: string): void {
  const name = counts.has(table) || counts.size < MAX_TABLES ? table : 'other'
  counts.set(name, (counts.get(name) ?? 0) + 1)
}
