import type { FastifyRequest } from 'fastify'
import { RestError } from './rest-errors.ts'

// As in libs/service/src/admin-server.ts: an import would load undici.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** Kafka Connect's error. */
export interface ErrorBody {
  readonly error_code: number
  readonly message: string
}

/** The operators' error: Kafka Connect's fields, and those that tools of the operators' API read. */
export interface OperatorsErrorBody extends ErrorBody {
  /** The class of the error, such as NOT_FOUND. */
  readonly error: string
  readonly details?: unknown
  /** ISO 8601, in UTC. */
  readonly timestamp: string
  readonly request_id: string
}

/** Where the code is not the name of the status (RFC 9110). */
const CODES: Readonly<Record<number, string>> = {
  400: 'INVALID_REQUEST',
  429: 'RATE_LIMIT_EXCEEDED',
  500: 'INTERNAL_ERROR',
}

/** The text of Connect's HTTP layer for a request that reaches no resource: `HTTP 404 Not Found`. */
export function httpError(status: number): RestError {
  return new RestError(status, `HTTP ${status} ${STATUS_CODES[status]}`)
}

/** The body of an error, in the form that the request gets. */
export function errorBody(
  { status, message, code, details }: RestError,
  { operators, shownId }: Pick<FastifyRequest, 'operators' | 'shownId'>,
): ErrorBody | OperatorsErrorBody {
  const body = { error_code: status, message }
  return operators ? operatorsError(body, shownId, code, details) : body
}

/** `code`: absent for that of the status. */
export function operatorsError(
  { error_code, message }: ErrorBody,
  requestId: string,
  code: string = CODES[error_code] ?? nameOf(error_code),
  details?: unknown,
): OperatorsErrorBody {
  const timestamp = new Date().toISOString()
  return {
    error: code,
    error_code,
    message,
    ...(details !== undefined && { details }),
    timestamp,
    request_id: requestId,
  }
}

/** `NOT_FOUND` for 404. */
function nameOf(status: number): string {
  return (STATUS_CODES[status] ?? 'UNKNOWN').toUpperCase().replaceAll(/\W+/g, '_')
}
