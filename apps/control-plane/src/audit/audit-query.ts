import type { AuditEntry, AuditQuery } from '@tributary/connect-storage'
import { matchesGlob } from '../access/glob.ts'
import { restError } from '../http/rest-errors.ts'

/** The query of `GET /audit`, by name; undefined: not given. */
export type Asked = (name: (typeof PARAMETERS)[number]) => string | undefined

export const PARAMETERS = ['who', 'connector', 'action', 'outcome', 'from', 'to', 'limit', 'cursor'] as const
const OUTCOMES: readonly string[] = ['done', 'denied', 'failed'] satisfies AuditEntry['outcome'][]
const LIMIT = { default: 100, most: 1000 } as const
const DAY_MS = 86_400_000
const TIME = 'a time such as 2031-01-31, 2031-01-31T10:00:00Z or ms since the epoch'

/** Throws 400 for a value that cannot be read. */
export function auditQuery(asked: Asked): AuditQuery {
  const [who, connector, action, outcome] = (['who', 'connector', 'action', 'outcome'] as const).map(asked)
  if (outcome !== undefined && !OUTCOMES.includes(outcome)) {
    throw restError('queryInvalid', 'outcome', outcome, `one of ${OUTCOMES.join(', ')}`)
  }
  const matches = (pattern: string | undefined, text: string | null): boolean =>
    pattern === undefined || (text !== null && matchesGlob(pattern, text))
  const named = ({ connector: own, changes }: AuditEntry): boolean =>
    matches(connector, own) || changes.some((change) => matches(connector, change.connector))
  return {
    before: cursor(asked('cursor')),
    from: time('from', asked('from')),
    to: endOf(asked('to')),
    limit: limit(asked('limit')),
    matches: (entry) =>
      matches(who, entry.who) &&
      matches(action, entry.action) &&
      (outcome === undefined || entry.outcome === outcome) &&
      named(entry),
  }
}

function limit(text: string | undefined): number {
  if (text === undefined) return LIMIT.default
  const value = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (value < 1 || value > LIMIT.most)
    throw restError('queryInvalid', 'limit', text, `a number from 1 to ${LIMIT.most}`)
  return value
}

function cursor(text: string | undefined): bigint | null {
  if (text === undefined) return null
  if (!/^\d{1,18}$/.test(text)) throw restError('queryInvalid', 'cursor', text, 'the "next" of an answer')
  return BigInt(text)
}

/** A date is the whole day, in UTC. */
function endOf(text: string | undefined): number | null {
  const value = time('to', text)
  return value !== null && /^\d{4}-\d{2}-\d{2}$/.test(text!) ? value + DAY_MS - 1 : value
}

function time(name: 'from' | 'to', text: string | undefined): number | null {
  if (text === undefined) return null
  const value = /^\d{10,15}$/.test(text) ? Number(text) : /^\d{4}-\d{2}/.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(value)) throw restError('queryInvalid', name, text, TIME)
  return value
}
