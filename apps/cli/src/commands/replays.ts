import type { Cell } from '../output.ts'

/** A replay as the API shows it. */
export interface Replay {
  readonly replay_id: string
  readonly status: string
  readonly dlq_ids_count: number
  readonly created_at: string | null
  readonly created_by: string
  readonly progress: { readonly percent_complete: number }
  readonly results: { readonly success: number; readonly failed: number; readonly skipped: number }
  readonly waiting_for: string | null
  readonly failed_events: readonly { readonly dlq_id: string; readonly error_type: string; readonly error_message: string }[] // prettier-ignore
}

export const replayColumns = ['REPLAY', 'BEGUN', 'BY', 'STATUS', 'DONE', 'LETTERS', 'WRITTEN', 'FAILED', 'SKIPPED']

export function replayRows(replays: readonly Replay[]): Cell[][] {
  return replays.map(
    ({ replay_id: id, created_at: begun, created_by: by, status, progress, dlq_ids_count: letters, results }) => [
      ...[id, begun, by, status, `${progress.percent_complete}%`, letters],
      ...[results.success, results.failed, results.skipped],
    ],
  )
}
