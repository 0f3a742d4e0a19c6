import type { ReplayEdit } from '@tributary/connect-api'
import type { Replay } from '@tributary/connect-storage'
import { isObject, objectOf } from '../http/body.ts'
import { restError } from '../http/rest-errors.ts'
import { type AskedFilter, askedFilter, FILTER_FIELDS, isFilter, time } from './letter-query.ts'

/** Letters that a body means: these, or those of a filter. */
export interface AskedLetters {
  readonly ids: readonly string[] | null
  readonly filter: AskedFilter
  readonly limit: number
}

export interface AskedReplay
  extends
    AskedLetters,
    Pick<Replay, 'strategy' | 'scheduledAt' | 'rate' | 'targetTopic' | 'edits' | 'force' | 'notes'> {
  readonly dryRun: boolean
}

const LETTERS = ['dlq_ids', 'ids', 'limit', ...FILTER_FIELDS]
const NOTES = ['resolution_notes', 'notes']
const REPLAY = [
  ...LETTERS,
  ...NOTES,
  ...['retry_strategy', 'scheduled_time', 'rate', 'target_topic', 'transform_rules', 'edits', 'dry_run', 'force'],
]
const LIMITS = { ids: 1000, byDefault: 1000, letters: 1_000_000, notes: 1000, edits: 100, rate: 1_000_000 } as const
const DEFAULT_RATE = 100
const STRATEGIES = ['immediate', 'scheduled', 'rate_limited'] as const
const CASTS = ['int', 'long', 'double', 'boolean', 'string'] as const
const TOPIC = /^[a-zA-Z0-9._-]{1,249}$/

/** The body of `POST /dlq/replay`. Throws 400. */
export function decodeReplay(body: unknown): AskedReplay {
  const fields = fieldsOf(body, REPLAY)
  const scheduledAt = time('scheduled_time', fields['scheduled_time'])
  const strategy = strategyOf(fields['retry_strategy'], scheduledAt)
  const rate = rateOf(fields['rate'], strategy)
  return {
    ...lettersOf(fields),
    strategy,
    scheduledAt: strategy === 'immediate' ? null : scheduledAt,
    rate,
    targetTopic: topicOf(fields['target_topic']),
    edits: editsOf(fields['transform_rules'] ?? fields['edits']),
    force: flag('force', fields['force']),
    dryRun: flag('dry_run', fields['dry_run']),
    notes: notesOf(fields),
  }
}

/** The body of a discard, a note or a reopening. Throws 400. */
export function decodeChange(body: unknown): AskedLetters & { readonly notes: string | null } {
  const fields = fieldsOf(body, [...LETTERS, ...NOTES])
  return { ...lettersOf(fields), notes: notesOf(fields) }
}

function fieldsOf(body: unknown, known: readonly string[]): Record<string, unknown> {
  const fields = objectOf(body, 'The body')
  // A filter with a misspelt field would take more than was meant.
  for (const field of Object.keys(fields)) if (!known.includes(field)) throw restError('unknownField', field, known)
  return fields
}

function lettersOf(fields: Record<string, unknown>): AskedLetters {
  const ids = idsOf(fields['dlq_ids'] ?? fields['ids'])
  const filter = askedFilter((name) => fields[name])
  if (ids === null && !isFilter(filter)) throw restError('lettersMissing', FILTER_FIELDS)
  const { connectors: _, ...others } = filter
  if (ids !== null && Object.values(others).some((value) => value !== null)) throw restError('idsAndFilter')
  return { ids, filter, limit: limitOf(fields['limit']) }
}

function idsOf(value: unknown): readonly string[] | null {
  if (value === undefined || value === null) return null
  if (!Array.isArray(value) || value.length === 0 || value.length > LIMITS.ids) {
    throw restError('fieldInvalid', 'dlq_ids', `a list of 1 to ${LIMITS.ids} ids`)
  }
  return [...new Set(value.map((id: unknown) => (typeof id === 'string' ? id.toLowerCase() : String(id))))]
}

function limitOf(value: unknown): number {
  if (value === undefined || value === null) return LIMITS.byDefault
  const limit = whole(value)
  if (limit >= 1 && limit <= LIMITS.letters) return limit
  throw restError('fieldInvalid', 'limit', `a whole number from 1 to ${LIMITS.letters}`)
}

function strategyOf(value: unknown, scheduledAt: number | null): Replay['strategy'] {
  if (value === undefined || value === null) return scheduledAt === null ? 'immediate' : 'scheduled'
  if (value === 'batch') return 'immediate'
  const strategy = STRATEGIES.find((known) => known === value)
  if (strategy === undefined) throw restError('fieldInvalid', 'retry_strategy', `one of ${STRATEGIES.join(', ')}`)
  if (strategy === 'scheduled' && scheduledAt === null) {
    throw restError('fieldInvalid', 'scheduled_time', 'a time, as retry_strategy is scheduled')
  }
  if (strategy === 'immediate' && scheduledAt !== null) {
    throw restError('fieldInvalid', 'retry_strategy', 'scheduled or rate_limited, as there is a scheduled_time')
  }
  return strategy
}

function rateOf(value: unknown, strategy: Replay['strategy']): number | null {
  if (value === undefined || value === null) return strategy === 'rate_limited' ? DEFAULT_RATE : null
  const rate = typeof value === 'string' ? Number(value) : value
  if (typeof rate === 'number' && rate >= 0.01 && rate <= LIMITS.rate) return rate
  throw restError('fieldInvalid', 'rate', `a number of records a second, from 0.01 to ${LIMITS.rate}`)
}

function topicOf(value: unknown): string | null {
  if (value === undefined || value === null) return null
  if (typeof value === 'string' && TOPIC.test(value) && value !== '.' && value !== '..') return value
  throw restError('fieldInvalid', 'target_topic', 'the name of a topic')
}

function editsOf(value: unknown): readonly ReplayEdit[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value) || value.length > LIMITS.edits) {
    throw restError('fieldInvalid', 'transform_rules', `a list of at most ${LIMITS.edits} rules`)
  }
  return value.map(editOf)
}

const RULE = 'rules {field, operation: cast | mask | replace, value}'

function editOf(rule: unknown): ReplayEdit {
  if (!isObject(rule)) throw restError('fieldInvalid', 'transform_rules', `a list of ${RULE}`)
  const { field, operation, value, ...others } = rule
  const isField = typeof field === 'string' && field !== '' && field.length <= 1000
  if (!isField || Object.keys(others).length > 0)
    throw restError('fieldInvalid', 'transform_rules', `a list of ${RULE}`)
  switch (String(operation).toLowerCase()) {
    case 'cast': {
      const type = CASTS.find((known) => known === value)
      if (type === undefined) throw restError('fieldInvalid', 'transform_rules', `a cast to one of ${CASTS.join(', ')}`)
      return { field, operation: 'cast', value: type }
    }
    case 'mask':
      if (value === undefined || value === null) return { field, operation: 'mask' }
      if (typeof value !== 'string')
        throw restError('fieldInvalid', 'transform_rules', 'a mask with a text as its value')
      return { field, operation: 'mask', value }
    case 'replace':
      if (value === undefined) throw restError('fieldInvalid', 'transform_rules', 'a replace with a value')
      return { field, operation: 'replace', value }
    default:
      throw restError('fieldInvalid', 'transform_rules', `a list of ${RULE}`)
  }
}

function notesOf(fields: Record<string, unknown>): string | null {
  const value = fields['resolution_notes'] ?? fields['notes']
  if (value === undefined || value === null) return null
  if (typeof value === 'string' && value.length <= LIMITS.notes) return value
  throw restError('fieldInvalid', 'resolution_notes', `a text of at most ${LIMITS.notes} characters`)
}

function flag(name: string, value: unknown): boolean {
  if (value === undefined || value === null) return false
  if (typeof value === 'boolean') return value
  if (value === 'true' || value === 'false') return value === 'true'
  throw restError('fieldInvalid', name, 'true or false')
}

function whole(value: unknown): number {
  const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value
  return typeof number === 'number' && Number.isInteger(number) ? number : NaN
}

/** What the audit log says of the letters of a request. */
export function aboutLetters({ ids, filter, limit }: AskedLetters): string {
  if (ids !== null) return `${ids.length} dead letters by id, such as ${ids[0]}`
  const parts = Object.entries(filter).filter(([, value]) => value !== null)
  return `dead letters by ${parts.map(([name, value]) => `${name} ${String(value)}`).join(', ')}, at most ${limit}`
}

export function aboutReplay(asked: AskedReplay): string {
  const { strategy, rate, targetTopic, edits, force, dryRun } = asked
  const parts = [
    aboutLetters(asked),
    strategy,
    ...(rate === null ? [] : [`${rate} a second`]),
    ...(targetTopic === null ? [] : [`to ${targetTopic}`]),
    ...(edits.length === 0
      ? []
      : [`edits of ${edits.map(({ field, operation }) => `${field} (${operation})`).join(', ')}`]),
    ...(force ? ['forced'] : []),
    ...(dryRun ? ['dry run'] : []),
  ]
  return parts.join('; ')
}
