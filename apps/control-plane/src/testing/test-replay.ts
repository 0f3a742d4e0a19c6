import type { Replay } from '@tributary/connect-storage'
import { replayId } from '../dead-letters/ids.ts'

/** A replay of all letters, for tests. */
export function testReplay(
  fields: Partial<Omit<Replay, 'choice'>> & { choice?: Partial<Replay['choice']> } = {},
): Replay {
  const { choice, ...others } = fields
  return {
    ...{ id: replayId(), at: Date.now(), by: 'user:alice', state: 'queued', strategy: 'immediate', scheduledAt: null },
    choice: {
      ...{ ids: null, connectors: null, topics: null, originalTopics: null, errorTypes: null, statuses: null },
      ...{ from: null, to: null, text: null, inPayload: false, limit: 1_000_000 },
      ...choice,
    },
    ...{ rate: null, targetTopic: null, edits: [], force: false, notes: null, connector: null, count: 0 },
    ...{ chosen: false, startedAt: null, completedAt: null, waitingFor: null, cancelledBy: null, results: null },
    failures: [],
    ...others,
  }
}
