import type { AuditEntry, AuditLog } from '@tributary/connect-storage'
import type { FastifyInstance } from 'fastify'
import { auditQuery, PARAMETERS } from '../audit/audit-query.ts'
import { queryValue, resource } from '../http/resource.ts'
import { restError } from '../http/rest-errors.ts'
import { answers, ref } from '../http/schemas.ts'

const DESCRIPTIONS: Readonly<Record<(typeof PARAMETERS)[number], string>> = {
  who: 'Name of the caller; * stands for any characters, as in the next two',
  connector: 'Name of the connector',
  action: 'Such as PUT /connectors/{connector}/pause, DELETE*, or login',
  outcome: 'done, denied or failed',
  from: 'No earlier than this time: a date, a time, or ms since the epoch',
  to: 'No later than this time; a date is its whole day, in UTC',
  limit: 'At most so many entries, 1 to 1000; 100 by default',
  cursor: 'The "next" of the answer before',
}

/** `/audit` is ours. `audit` is null while the audit log is off. */
export function auditRoutes(app: FastifyInstance, audit: AuditLog | null): void {
  resource(app, '/audit', {
    GET: {
      right: 'administer',
      schema: {
        summary: 'Who changed what, and which logins and requests were refused, the newest first',
        description:
          'An answer may have fewer entries than the limit and a "next": the search then ended after 50,000 records or 20 s, and goes on with that cursor.',
        querystring: {
          type: 'object',
          properties: Object.fromEntries(
            PARAMETERS.map((name) => [name, { type: 'string', description: DESCRIPTIONS[name] }]),
          ),
        },
        response: answers({ 200: ref('Audit') }, [400, 404]),
      },
      handler: async (request) => {
        if (audit === null) throw restError('auditOff')
        const { entries, next } = await audit.read(auditQuery((name) => queryValue(request, name)))
        return { entries: entries.map(shown), next: next === null ? null : String(next) }
      },
    },
  })
}

/** With the time as people read it. */
function shown({ time, ...entry }: AuditEntry): object {
  return { time: new Date(time).toISOString(), ...entry }
}
