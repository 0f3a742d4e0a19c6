import { ConfigException } from '@tributary/config'
import { errorCode, errorKind } from '@tributary/connect-api'
import { type Logger, oncePer } from '@tributary/telemetry'
import type { FastifyError, FastifyInstance } from 'fastify'
import { randomUUID } from 'node:crypto'
import type { Socket } from 'node:net'
import { LoginError } from '../access/login.ts'
import { errorBody, httpError } from './error-body.ts'
import { RestError, restError } from './rest-errors.ts'

// As in libs/service/src/admin-server.ts: an import would load undici.
const { STATUS_CODES } = process.getBuiltinModule('node:http')

/** Answers every error, unmatched requests included, with Connect's `{error_code, message}`, or the operators' error. */
export function answerErrors(app: FastifyInstance, log: Logger): void {
  // Whoever has no credentials can have as many of these as requests, and must not fill the disk.
  const limit = oncePer(60_000)
  app.setErrorHandler((error, request, reply) => {
    const { method, url } = request
    const answer = toRestError(error)
    const suppressed = answer.status < 500 ? null : error instanceof LoginError ? limit(error.message) : 0
    if (suppressed !== null) {
      // Without the query, in which a client may have put a secret.
      const path = url.split('?', 1)[0]
      log.error('request_failed', { method, path, status: answer.status, ...(suppressed > 0 && { suppressed }), error })
    }
    return reply.code(answer.status).send(errorBody(answer, request))
  })
  app.setNotFoundHandler((request, reply) => reply.code(404).send(errorBody(httpError(404), request)))
}

const NOT_HTTP: Readonly<Record<string, number>> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }

/**
 * Answers a request that the HTTP parser refuses, such as a request line above the limit or bytes that are not HTTP.
 * Closes the connection afterwards.
 */
export function answerUnparsed(error: NodeJS.ErrnoException, socket: Socket, operators = false): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const answer = httpError(NOT_HTTP[error.code ?? ''] ?? 400)
  const body = JSON.stringify(errorBody(answer, { operators, shownId: randomUUID() }))
  const headers = `Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close`
  socket.end(`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n${headers}\r\n\r\n${body}`)
}

function toRestError(error: unknown): RestError {
  if (error instanceof RestError) return error
  if (error instanceof LoginError) return new RestError(error.status, error.message)
  // The client's settings are not valid, or Kafka refuses the size of its data in a record of the config topic. Errors of Kafka that
  // somebody else must mend, such as missing rights, have the kind `config`, too.
  const isClients = error instanceof ConfigException || errorKind(error) === 'data'
  if (isClients && error instanceof Error) return new RestError(400, error.message)
  if (errorCode(error) === 'INTERNAL_TOPIC_DELETED') return restError('internalTopicDeleted', (error as Error).message)
  const { code, statusCode } = error as FastifyError
  if (code?.startsWith('FST_') && statusCode !== undefined && statusCode < 500) return httpError(statusCode)
  return new RestError(500, error instanceof Error ? error.message : String(error))
}
