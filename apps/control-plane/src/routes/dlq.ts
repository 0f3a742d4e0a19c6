import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { DeadLetters } from '../dead-letters/dead-letters.ts'
import type { Change } from '../dead-letters/letter-changes.ts'
import { askedFilter, type FILTER_FIELDS } from '../dead-letters/letter-query.ts'
import { letterView, statsView } from '../dead-letters/letter-view.ts'
import { aboutLetters, decodeChange } from '../dead-letters/replay-request.ts'
import { operatorResource } from '../http/operator-resource.ts'
import { queryValue, type Route } from '../http/resource.ts'
import { restError } from '../http/rest-errors.ts'
import { answers, query, ref } from '../http/schemas.ts'

const LIMIT = { byDefault: 50, most: 1000 } as const
const MAX_OFFSET = 10_000_000

const FILTERS: Readonly<Record<(typeof FILTER_FIELDS)[number], string>> = {
  connector: 'Names of connectors, separated by commas, like all lists here',
  topic: 'Names of dead-letter topics',
  table: 'Topics for which the records were meant, or the last part of their names',
  original_topic: 'The same as table',
  error_type: 'Such as SCHEMA_MISMATCH',
  status: 'Such as UNRESOLVED',
  resolution_status: 'The same as status',
  start_date: 'Failed no earlier than this time: a date, a time, or ms since the epoch',
  end_date: 'Failed no later than this time; a date is its whole day, in UTC',
  text: 'Words of the error; for those who may read records, of key and value, too',
}

/** `/dlq/records…`, `/dlq/stats` and what changes letters without a replay. `letters` is null where the service is off. */
export function dlqRoutes(app: FastifyInstance, letters: DeadLetters | null): void {
  const present = (): DeadLetters => {
    if (letters === null) throw restError('dlqOff')
    return letters
  }

  operatorResource(app, '/dlq/records', {
    GET: {
      right: 'view',
      schema: {
        summary: 'Dead letters, the newest first',
        querystring: query({
          ...FILTERS,
          limit: '1 to 1000; 50 by default',
          offset: 'So many letters are left out',
          cursor: 'next_cursor of the page before: better than offset, as the list grows at its beginning',
        }),
        response: answers({ 200: ref('DeadLetters') }, [400, 404]),
      },
      handler: async (request) => {
        const { limit, offset, cursor } = pageOf(request)
        const page = { limit, ...(cursor === undefined ? { offset } : { cursor }) }
        const { records, total, next } = await present().list(filterOf(request), page, request.identity)
        const more = next !== null
        return {
          ...{ total_count: total, total, limit, offset },
          records: records.map(letterView),
          pagination: {
            next_offset: more ? offset + records.length : null,
            has_more: more,
            next_cursor: next,
          },
        }
      },
    },
  })

  operatorResource(app, '/dlq/records/:letter', {
    GET: {
      right: 'records',
      schema: {
        summary: 'A dead letter with its key, value and headers, and what was done about it',
        response: answers({ 200: ref('DeadLetter') }, [404, 503]),
      },
      handler: async (request) => present().read(request.params['letter']!, request.identity),
    },
  })

  operatorResource(app, '/dlq/stats', {
    GET: {
      right: 'view',
      schema: {
        summary: 'How many dead letters there are, by type, status, table, connector and topic',
        querystring: query(FILTERS),
        response: answers({ 200: ref('DeadLetterStats') }, [400, 404]),
      },
      handler: async (request) => statsView(await present().stats(filterOf(request), request.identity)),
    },
  })
  changeRoutes(app, present)
}

function changeRoutes(app: FastifyInstance, present: () => DeadLetters): void {
  const changes: readonly [path: string, kind: Change, summary: string][] = [
    ['/dlq/discard', 'discarded', 'Give dead letters up: no replay by filter takes them'],
    ['/dlq/annotate', 'annotated', 'Write a note to dead letters'],
    ['/dlq/reopen', 'reopened', 'Make dead letters UNRESOLVED again, as if no replay had failed'],
  ]
  for (const [path, kind, summary] of changes) {
    operatorResource(app, path, {
      POST: {
        right: 'operate',
        numbers: 'value',
        schema: {
          summary,
          body: ref('ChangeDeadLetters'),
          response: answers({ 200: ref('ChangedDeadLetters') }, [400, 404, 409, 503]),
        },
        handler: async (request) => {
          const asked = decodeChange(request.body)
          if (request.auditWork) request.auditWork.about = aboutLetters(asked)
          const count = await present().change(kind, asked, request.identity)
          if (request.auditWork) request.auditWork.about = `${aboutLetters(asked)}: ${count} letters`
          return { count, message: `${count} dead letters were ${kind}.` }
        },
      },
    })
  }
}

function filterOf(request: FastifyRequest<Route>) {
  return askedFilter((name) => queryValue(request, name))
}

function pageOf(request: FastifyRequest<Route>): { limit: number; offset: number; cursor?: string } {
  const cursor = queryValue(request, 'cursor')
  if (cursor !== undefined && !/^[\w.:=-]{1,200}$/.test(cursor)) {
    throw restError('queryInvalid', 'cursor', cursor.slice(0, 100), 'next_cursor of an answer')
  }
  return {
    limit: numberOf(request, 'limit', LIMIT.byDefault, 1, LIMIT.most),
    offset: numberOf(request, 'offset', 0, 0, MAX_OFFSET),
    ...(cursor !== undefined && cursor !== '' && { cursor }),
  }
}

function numberOf(request: FastifyRequest<Route>, name: string, otherwise: number, min: number, max: number): number {
  const text = queryValue(request, name)
  if (text === undefined || text === '') return otherwise
  const number = /^\d{1,8}$/.test(text) ? Number(text) : NaN
  if (number >= min && number <= max) return number
  throw restError('queryInvalid', name, text.slice(0, 100), `a whole number from ${min} to ${max}`)
}
