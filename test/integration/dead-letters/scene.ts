import assert from 'node:assert/strict'
import type { Services } from '../../support/services.ts'
import { until } from '../../support/until.ts'

export interface Letter {
  readonly dlq_id: string
  readonly connector: string
  readonly topic: string
  readonly resolution_status: string
  readonly error_type: string
  readonly retry_count: number
  readonly resolved_by: string | null
}
export interface ReplayState {
  readonly replay_id: string
  readonly status: string
  readonly dlq_ids_count: number
  readonly completed_at: string | null
  readonly waiting_for: string | null
  readonly progress: { readonly processed: number; readonly remaining: number; readonly percent_complete: number }
  readonly results: { readonly success: number; readonly failed: number; readonly skipped: number }
  readonly failed_events: readonly { readonly dlq_id: string; readonly error_message: string }[]
}

type Rest = Services['rest']

/** The dead letters that the query finds, once there are so many. */
export async function untilLetters(rest: Rest, query: string, count: number): Promise<readonly Letter[]> {
  return until(`there are ${count} dead letters of ${query}`, async () => {
    const { status, body } = await rest('GET', `/dlq/records?${query}&limit=1000`)
    assert.equal(status, 200, JSON.stringify(body))
    const { records, total } = body as { records: Letter[]; total: number }
    return total >= count ? records : undefined
  })
}

/** Begins a replay; its id. */
export async function begin(rest: Rest, asked: object): Promise<string> {
  const { status, body } = await rest('POST', '/dlq/replay', asked)
  assert.equal(status, 202, JSON.stringify(body))
  return (body as ReplayState).replay_id
}

export async function stateOf(rest: Rest, id: string): Promise<ReplayState> {
  const { status, body } = await rest('GET', `/dlq/replay/${id}`)
  assert.equal(status, 200, JSON.stringify(body))
  return body as ReplayState
}

export async function untilEnded(rest: Rest, id: string, timeoutMs?: number): Promise<ReplayState> {
  return until(
    `replay ${id} has ended`,
    async () => {
      const state = await stateOf(rest, id)
      return state.completed_at === null ? undefined : state
    },
    timeoutMs,
  )
}

/** Replays what the body asks for, and waits for the end. */
export async function replayed(rest: Rest, asked: object): Promise<ReplayState> {
  return untilEnded(rest, await begin(rest, asked))
}
