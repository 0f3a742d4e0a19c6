import { AuthenticationError, isDenied, protocolErrorOf } from '../client/index.ts'

/**
 * An error of a broker or of the connection to it. `code` is the name of the protocol (`NOT_COORDINATOR`), `NETWORK`
 * (refused, reset, timed out) or `AUTHENTICATION`.
 */
export class KafkaError extends Error {
  readonly code: string
  /** Another try may succeed, after a refresh of the metadata. */
  readonly retriable: boolean
  /**
   * `retriable` as a kind of connect-api's errors. This library may not import connect-api, so it repeats the words.
   */
  readonly kind: 'retriable' | 'fatal'
  constructor(code: string, message: string, retriable: boolean, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'KafkaError'
    this.code = code
    this.retriable = retriable
    this.kind = retriable ? 'retriable' : 'fatal'
  }
}

/** The name of an error code in the protocol; `UNKNOWN_SERVER_ERROR` for a code that the client does not know. */
export function protocolErrorName(code: number): string {
  return protocolErrorOf(code).name
}

/**
 * The error for a non-zero code of a response. `doing` says what was tried and on what, `detail` what the broker said, `lacking` which
 * right the request needs (`Cluster.lacking`).
 */
export function protocolError(code: number, doing: string, lacking: string, detail?: string | null): KafkaError {
  const { name, message, retriable } = protocolErrorOf(code)
  return new KafkaError(name, `${doing}: ${name}: ${isDenied(name) ? lacking : (detail ?? message)}`, retriable)
}

/** Throws `protocolError(…)` unless the code is 0. */
export function checkCode(code: number, doing: string, lacking: string, detail?: string | null): void {
  if (code !== 0) throw protocolError(code, doing, lacking, detail)
}

/** The KafkaError for anything that a connection threw. Only refused credentials cannot heal by another try. */
export function connectionError(error: unknown, doing: string): KafkaError {
  if (error instanceof KafkaError) return error
  for (let e: unknown = error; e instanceof Error; e = e.cause) {
    if (e instanceof AuthenticationError) {
      return new KafkaError('AUTHENTICATION', `${doing}: ${e.message} Check the SASL user and password.`, false, error)
    }
  }
  return new KafkaError('NETWORK', `${doing}: ${rootMessage(error)}`, true, error)
}

/** The message of the innermost cause: `connect ECONNREFUSED 127.0.0.1:9092` says more than the errors around it. */
function rootMessage(error: unknown): string {
  let message = String(error)
  for (let e: unknown = error; e instanceof Error; e = e.cause) message = e.message || message
  return message
}
