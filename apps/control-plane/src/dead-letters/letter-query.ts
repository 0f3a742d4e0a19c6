import { ERROR_TYPES, type ErrorType } from '@tributary/connect-api'
import { LETTER_STATUSES, type LetterStatus } from '@tributary/connect-storage'
import { restError } from '../http/rest-errors.ts'

/** How a filter is written, in a query or in a body. Several values stand in a list, or are separated by commas. */
export interface AskedFilter {
  readonly connectors: readonly string[] | null
  readonly topics: readonly string[] | null
  readonly originalTopics: readonly string[] | null
  readonly errorTypes: readonly ErrorType[] | null
  readonly statuses: readonly LetterStatus[] | null
  /** ms since the epoch, inclusive. */
  readonly from: number | null
  readonly to: number | null
  readonly text: string | null
}

/** Names of the filter's fields. `status` and `resolution_status`, and `table` and `original_topic` are the same. */
export const FILTER_FIELDS = [
  'connector',
  'topic',
  'table',
  'original_topic',
  'error_type',
  'status',
  'resolution_status',
  'start_date',
  'end_date',
  'text',
] as const

/** Names of statuses that other systems have. */
const ALIASES: Readonly<Record<string, LetterStatus>> = {
  PENDING: 'UNRESOLVED',
  AUTO_RESOLVED: 'RESOLVED',
  MANUAL_RESOLVED: 'RESOLVED',
  IGNORED: 'DISCARDED',
}
const TIME = 'a time such as 2031-01-31, 2031-01-31T10:00:00Z or ms since the epoch'
const DAY_MS = 86_400_000
const MAX_TEXT = 1000

export type Asked = (name: (typeof FILTER_FIELDS)[number]) => unknown

/** Throws 400 for a value that cannot be read. */
export function askedFilter(asked: Asked): AskedFilter {
  const statuses = listOf('status', asked('status')) ?? listOf('resolution_status', asked('resolution_status'))
  return {
    connectors: listOf('connector', asked('connector')),
    topics: listOf('topic', asked('topic')),
    originalTopics: listOf('table', asked('table')) ?? listOf('original_topic', asked('original_topic')),
    errorTypes:
      listOf('error_type', asked('error_type'))?.map((name) => oneOf('error_type', name, ERROR_TYPES)) ?? null,
    statuses: statuses?.map((name) => oneOf('status', ALIASES[name.toUpperCase()] ?? name, LETTER_STATUSES)) ?? null,
    from: time('start_date', asked('start_date')),
    to: endOf(asked('end_date')),
    text: words(asked('text')),
  }
}

/** Whether the filter says anything. */
export function isFilter(filter: AskedFilter): boolean {
  return Object.values(filter).some((value) => value !== null)
}

function listOf(name: string, value: unknown): string[] | null {
  if (value === undefined || value === null || value === '') return null
  const items: unknown[] = Array.isArray(value) ? value : String(scalar(name, value)).split(',')
  const texts = items.map((item) => scalar(name, item).trim()).filter((item) => item !== '')
  if (texts.length > 1000) throw restError('queryInvalid', name, `${texts.length} values`, 'at most 1000 values')
  return texts.length === 0 ? null : texts
}

function scalar(name: string, value: unknown): string {
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  throw restError('queryInvalid', name, typeof value, 'a text or a list of texts')
}

function oneOf<T extends string>(name: string, value: string, known: readonly T[]): T {
  const found = known.find((one) => one === value.toUpperCase())
  if (found === undefined) throw restError('queryInvalid', name, value.slice(0, 100), `one of ${known.join(', ')}`)
  return found
}

function words(value: unknown): string | null {
  if (value === undefined || value === null || value === '') return null
  const text = scalar('text', value)
  if (text.length > MAX_TEXT)
    throw restError('queryInvalid', 'text', `${text.length} characters`, `at most ${MAX_TEXT}`)
  return text
}

/** A date is the whole day, in UTC. */
function endOf(value: unknown): number | null {
  const at = time('end_date', value)
  return at !== null && /^\d{4}-\d{2}-\d{2}$/.test(String(value)) ? at + DAY_MS - 1 : at
}

/** ms since the epoch; null: not given. */
export function time(name: string, value: unknown): number | null {
  if (value === undefined || value === null || value === '') return null
  const text = scalar(name, value)
  const at = /^\d{10,15}$/.test(text) ? Number(text) : /^\d{4}-\d{2}/.test(text) ? Date.parse(text) : NaN
  if (Number.isNaN(at)) throw restError('queryInvalid', name, text.slice(0, 100), TIME)
  return at
}
