import type { LetterStatus, Replay, ReplayChoice } from '@tributary/connect-storage'
import type { LetterFilter } from '@tributary/dead-letters'

/** What a replay takes that does not say it: by filter what nobody has dealt with, by ids whatever is named. */
const BY_FILTER: readonly LetterStatus[] = ['UNRESOLVED']
const BY_IDS: readonly LetterStatus[] = ['UNRESOLVED', 'QUARANTINED', 'SUPERSEDED', 'DISCARDED']

/** The letters that a replay may take. */
export function choiceFilter({ choice, force }: Pick<Replay, 'choice' | 'force'>): LetterFilter {
  const { ids, connectors, statuses, ...rest } = choice
  const wanted = statuses ?? (ids === null ? BY_FILTER : [...BY_IDS, ...(force ? (['RESOLVED'] as const) : [])])
  return {
    ...plainFilter(rest),
    ...(ids !== null && { ids }),
    statuses: wanted.filter((status) => status !== 'IN_PROGRESS'),
    ...connectorFilter(connectors),
  }
}

function connectorFilter(connectors: ReplayChoice['connectors']): Pick<LetterFilter, 'connectors' | 'visible'> {
  if (connectors === null) return {}
  const named = connectors.filter((connector) => connector !== null)
  // The list of the filter has names alone.
  if (named.length === connectors.length) return { connectors: named }
  const set = new Set(connectors)
  return { visible: (connector) => set.has(connector) }
}

type Plain = Omit<ReplayChoice, 'ids' | 'connectors' | 'statuses' | 'limit'>

export function plainFilter({ topics, originalTopics, errorTypes, from, to, text, inPayload }: Plain): LetterFilter {
  return {
    ...(topics !== null && { topics }),
    ...(originalTopics !== null && { originalTopics }),
    ...(errorTypes !== null && { errorTypes }),
    ...(from !== null && { from }),
    ...(to !== null && { to }),
    ...(text !== null && { text, inPayload }),
  }
}
