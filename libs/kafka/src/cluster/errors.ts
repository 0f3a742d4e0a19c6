import { AuthenticationError, protocolErrors, protocolErrorsCodesById } from '@platformatic/kafka'

/**
 * What a broker, or the way to it, answered. `code` is the protocol's name of the error (`NOT_COORDINATOR`), or
 * `NETWORK` (refused, reset, timed out) or `AUTHENTICATION`.
 */
export class KafkaError extends Error {
  readonly code: string
  /** Trying again may heal it, after a look at fresh metadata. */
  readonly retriable: boolean
  /** `retriable` as one of connect-api's kinds of error; the same words, as this library stands below it. */
  readonly kind: 'retriable' | 'fatal'
  constructor(code: string, message: string, retriable: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'KafkaError'
    this.code = code
    this.retriable = retriable
    this.kind = retriable ? 'retriable' : 'fatal'
  }
}

/** The protocol's name of an error code, `UNKNOWN_SERVER_ERROR` for one that this client does not know. */
export function protocolErrorName(code: number): string {
  return protocolErrorsCodesById[code] ?? 'UNKNOWN_SERVER_ERROR'
}

/** The error for a non-zero code of a response; `doing` says what was tried and on what. */
export function protocolError(code: number, doing: string, detail?: string | null): KafkaError {
  const name = protocolErrorName(code)
  const definition = protocolErrors[name]
  return new KafkaError(
    name,
    `${doing}: ${name}: ${detail ?? definition?.message ?? ''}`,
    definition?.canRetry ?? false,
  )
}

/** Throws `protocolError` for a code other than 0. */
export function checkCode(code: number, doing: string, detail?: string | null): void {
  if (code !== 0) throw protocolError(code, doing, detail)
}

/** Anything that a connection threw. Only refused credentials cannot heal by trying again. */
export function connectionError(error: unknown, doing: string): KafkaError {
  if (error instanceof KafkaError) return error
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (e instanceof AuthenticationError) {
      return new KafkaError('AUTHENTICATION', `${doing}: ${e.message} Check the SASL user and password.`, false, error)
    }
  }
  return new KafkaError('NETWORK', `${doing}: ${rootMessage(error)}`, true, error)
}

/** The innermost cause's words: `connect ECONNREFUSED 127.0.0.1:9092` says more than what wraps it. */
function rootMessage(error: unknown): string {
  let message = String(error)
  for (let e: unknown = error; e instanceof Error; e = e.cause) message = e.message || message
  return message
}
