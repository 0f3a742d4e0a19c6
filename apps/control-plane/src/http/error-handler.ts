import { errorKind } from '@tributary/connect-api'
import type { Logger } from '@tributary/telemetry'
import type { FastifyError, FastifyInstance } from 'fastify'
import { STATUS_CODES } from 'node:http'
import { RestError, restError } from './rest-errors.ts'

/** Answers every error with Connect's `{error_code, message}`; unmatched requests included. */
export function answerErrors(app: FastifyInstance, log: Logger): void {
  app.setErrorHandler((error, request, reply) => {
    const answer = toRestError(error)
    if (answer.status >= 500) {
      log.error('request_failed', { method: request.method, path: request.url, status: answer.status, error })
    }
    return reply.code(answer.status).send(errorBody(answer))
  })
  app.setNotFoundHandler((_request, reply) => reply.code(404).send(errorBody(httpError(404))))
}

/** The text that Connect's HTTP layer gives to requests that reach no resource: `HTTP 404 Not Found`. */
export function httpError(status: number): RestError {
  return new RestError(status, `HTTP ${status} ${STATUS_CODES[status]}`)
}

export function errorBody(error: RestError): { error_code: number; message: string } {
  return { error_code: error.status, message: error.message }
}

function toRestError(error: unknown): RestError {
  if (error instanceof RestError) return error
  if (error instanceof Error && errorKind(error) === 'config') return new RestError(400, error.message)
  const { code, statusCode } = error as FastifyError
  if (code === 'FST_ERR_HANDLER_TIMEOUT') return restError('timedOut')
  if (code?.startsWith('FST_') && statusCode !== undefined && statusCode < 500) return httpError(statusCode)
  return new RestError(500, error instanceof Error ? error.message : String(error))
}
