import type { ReplayOutcome } from '@tributary/connect-api'
import type { Replay } from '@tributary/connect-storage'
import type { DeadLetterIndex, LetterRow } from '@tributary/dead-letters'
import { choiceFilter } from './letter-filters.ts'
import type { ReplayWorkers } from './replay-workers.ts'

/** Letters that a dry run shows. */
const SHOWN = 100

export interface Tried {
  readonly row: LetterRow
  readonly outcome: ReplayOutcome | { readonly outcome: 'quarantined' }
}

/** What the first letters of a replay would become. Nothing is written, and no letter is taken. */
export async function dryRun(
  replay: Replay,
  {
    index,
    workers,
    maxReplays,
  }: { index: Pick<DeadLetterIndex, 'select'>; workers: ReplayWorkers; maxReplays: number },
  signal: AbortSignal,
): Promise<Tried[]> {
  const rows = await index.select(choiceFilter(replay), Math.min(SHOWN, replay.choice.limit))
  const tried = new Map<LetterRow, Tried['outcome']>()
  const loops = ({ status, failedReplays }: LetterRow): boolean =>
    !replay.force && (status === 'QUARANTINED' || failedReplays >= maxReplays)
  for (const row of rows.filter(loops)) tried.set(row, { outcome: 'quarantined' })
  const lanes = Map.groupBy(
    rows.filter((row) => !tried.has(row)),
    ({ connector, task }) => JSON.stringify([connector ?? replay.connector, task]),
  )
  let batch = 0
  for (const lane of lanes.values()) {
    const outcomes = await tryLane(lane, replay, batch++, workers, signal)
    lane.forEach((row, i) => tried.set(row, outcomes[i]!))
  }
  return rows.map((row) => ({ row, outcome: tried.get(row)! }))
}

async function tryLane(
  lane: readonly LetterRow[],
  { id, edits, force, targetTopic, connector: named }: Replay,
  batch: number,
  workers: ReplayWorkers,
  signal: AbortSignal,
): Promise<readonly ReplayOutcome[]> {
  const all = (outcome: 'failed' | 'later', message: string): ReplayOutcome[] =>
    lane.map(() => ({ outcome, type: 'UNKNOWN', message }))
  const connector = lane[0]!.connector ?? named
  if (connector === null)
    return all('failed', 'The letter names no connector. Name the one that replays it: "connector".')
  const letters = lane.map(({ topic, partition, offset }) => ({ topic, partition, offset }))
  const { task } = lane[0]!
  const request = { replay: id, batch, task, letters, edits, dryRun: true, force, targetTopic }
  const sent = await workers.send(connector, request, signal)
  if ('answer' in sent) return sent.answer.outcomes
  return 'never' in sent ? all('failed', sent.never) : all('later', sent.waitingFor)
}
