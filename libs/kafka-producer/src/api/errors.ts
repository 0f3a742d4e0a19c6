import type { FencedError } from './types.ts'

/** The kinds of connect-api's ConnectError. This library may not import connect-api, so it repeats the words. */
export type ProducerErrorKind = 'retriable' | 'data' | 'config' | 'fatal'

/** An error of the producer. `code` is stable; `kind` says who can do something about it. */
export class ProducerError extends Error {
  readonly code: string
  readonly kind: ProducerErrorKind
  constructor(kind: ProducerErrorKind, code: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = new.target.name
    this.kind = kind
    this.code = code
  }
}

/**
 * The producer cannot be used any more: another producer took the transactional id over, the coordinator aborted the
 * transaction after its timeout, or the end of a transaction is in doubt. The start of a new producer settles what was
 * left open.
 */
export class ProducerFencedError extends ProducerError implements FencedError {
  declare readonly code: 'PRODUCER_FENCED'
  constructor(why: string, cause?: unknown) {
    super('fatal', 'PRODUCER_FENCED', `${why}; discard this producer and start a new one`, cause)
  }
}

/** The broker rejects this record as it is. The records around it were written. */
export class RecordRefusedError extends ProducerError {
  declare readonly kind: 'data'
  constructor(code: string, message: string, cause?: unknown) {
    super('data', code, message, cause)
  }
}

/** A broker answered with an error code of the protocol. `protocolErrorOf(code)` says what follows from it. */
export class BrokerError extends Error {
  readonly protocolCode: number
  constructor(protocolCode: number, what: string, detail?: string | null) {
    super(`${what}: ${protocolErrorOf(protocolCode).name}${detail ? ` (${detail})` : ''}`)
    this.name = 'BrokerError'
    this.protocolCode = protocolCode
  }
}

/**
 * What the producer does after an error code:
 * - `none`: the batch is written
 * - `retry`: sends the same request again, after a wait
 * - `stale`: the same, with fresh metadata
 * - `coordinator`: the same, after looking up the transaction coordinator again
 * - `refused`: the broker will never accept some record of the batch; the batch is halved until that record is alone
 * - `state`: the broker does not know the producer id or the sequence number; the partition starts a new epoch
 *   (KIP-360)
 * - `fenced`, `config`, `fatal`: gives up
 */
export type Remedy = 'none' | 'retry' | 'stale' | 'coordinator' | 'refused' | 'state' | 'fenced' | 'config' | 'fatal'

interface ProtocolError {
  readonly name: string
  readonly remedy: Remedy
}

/** The codes that a producer can meet, of https://kafka.apache.org/protocol#protocol_error_codes. */
const PROTOCOL_ERRORS: ReadonlyMap<number, ProtocolError> = new Map(
  (
    [
      [-1, 'UNKNOWN_SERVER_ERROR', 'fatal'],
      [0, 'NONE', 'none'],
      [2, 'CORRUPT_MESSAGE', 'retry'],
      [3, 'UNKNOWN_TOPIC_OR_PARTITION', 'stale'],
      [5, 'LEADER_NOT_AVAILABLE', 'stale'],
      [6, 'NOT_LEADER_OR_FOLLOWER', 'stale'],
      [7, 'REQUEST_TIMED_OUT', 'retry'],
      [8, 'BROKER_NOT_AVAILABLE', 'stale'],
      [9, 'REPLICA_NOT_AVAILABLE', 'stale'],
      [10, 'MESSAGE_TOO_LARGE', 'refused'],
      [13, 'NETWORK_EXCEPTION', 'stale'],
      [14, 'COORDINATOR_LOAD_IN_PROGRESS', 'coordinator'],
      [15, 'COORDINATOR_NOT_AVAILABLE', 'coordinator'],
      [16, 'NOT_COORDINATOR', 'coordinator'],
      [17, 'INVALID_TOPIC_EXCEPTION', 'config'],
      [18, 'RECORD_LIST_TOO_LARGE', 'refused'],
      [19, 'NOT_ENOUGH_REPLICAS', 'retry'],
      [20, 'NOT_ENOUGH_REPLICAS_AFTER_APPEND', 'retry'],
      [29, 'TOPIC_AUTHORIZATION_FAILED', 'config'],
      [31, 'CLUSTER_AUTHORIZATION_FAILED', 'config'],
      [32, 'INVALID_TIMESTAMP', 'refused'],
      [33, 'UNSUPPORTED_SASL_MECHANISM', 'config'],
      [34, 'ILLEGAL_SASL_STATE', 'config'],
      [35, 'UNSUPPORTED_VERSION', 'config'],
      [43, 'UNSUPPORTED_FOR_MESSAGE_FORMAT', 'config'],
      [44, 'POLICY_VIOLATION', 'config'],
      [45, 'OUT_OF_ORDER_SEQUENCE_NUMBER', 'state'],
      // The broker wrote the batch at an earlier try whose answer was lost.
      [46, 'DUPLICATE_SEQUENCE_NUMBER', 'none'],
      [47, 'INVALID_PRODUCER_EPOCH', 'fenced'],
      [48, 'INVALID_TXN_STATE', 'fatal'],
      [49, 'INVALID_PRODUCER_ID_MAPPING', 'state'],
      [50, 'INVALID_TRANSACTION_TIMEOUT', 'config'],
      [51, 'CONCURRENT_TRANSACTIONS', 'retry'],
      [53, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'config'],
      [56, 'KAFKA_STORAGE_ERROR', 'stale'],
      [58, 'SASL_AUTHENTICATION_FAILED', 'config'],
      [59, 'UNKNOWN_PRODUCER_ID', 'state'],
      [72, 'LISTENER_NOT_FOUND', 'stale'],
      [74, 'FENCED_LEADER_EPOCH', 'stale'],
      [75, 'UNKNOWN_LEADER_EPOCH', 'stale'],
      [76, 'UNSUPPORTED_COMPRESSION_TYPE', 'config'],
      [87, 'INVALID_RECORD', 'refused'],
      [89, 'THROTTLING_QUOTA_EXCEEDED', 'retry'],
      [90, 'PRODUCER_FENCED', 'fenced'],
      [100, 'UNKNOWN_TOPIC_ID', 'stale'],
    ] as const
  ).map(([code, name, remedy]) => [code, { name, remedy }]),
)

/** Never fails: a code that is not in the table is fatal, with the name `BROKER_ERROR_<code>`. */
export function protocolErrorOf(code: number): ProtocolError {
  return PROTOCOL_ERRORS.get(code) ?? { name: `BROKER_ERROR_${code}`, remedy: 'fatal' }
}

export const UNKNOWN_TOPIC_OR_PARTITION = 3
export const CONCURRENT_TRANSACTIONS = 51

/** What to do after anything that a request threw. An unknown error is fatal. */
export function remedyOf(error: unknown): Remedy {
  if (error instanceof BrokerError) return protocolErrorOf(error.protocolCode).remedy
  if (error instanceof ProducerError) {
    if (error instanceof ProducerFencedError) return 'fenced'
    return error.kind === 'retriable' ? 'stale' : error.kind === 'data' ? 'refused' : error.kind
  }
  return 'fatal'
}

/** No connection could be made, so the request was not sent. */
export const KAFKA_UNREACHABLE = 'KAFKA_UNREACHABLE'
/** The connection broke or no answer came in time. The broker may have acted on the request. */
export const KAFKA_NO_ANSWER = 'KAFKA_NO_ANSWER'

export function isUnreachable(error: unknown): boolean {
  return error instanceof ProducerError && error.code === KAFKA_UNREACHABLE
}

/** The error that the caller gets for a request that will not be tried again. */
export function givenUp(error: unknown, what: string): ProducerError {
  if (error instanceof ProducerError) return error
  if (error instanceof BrokerError) {
    const { name, remedy } = protocolErrorOf(error.protocolCode)
    return new ProducerError(
      KIND_OF_GIVEN_UP[remedy],
      name,
      `${what} failed: ${error.message}${ADVICE[name] ?? ''}`,
      error,
    )
  }
  return new ProducerError('fatal', 'PRODUCE_FAILED', `${what} failed: ${String(error)}`, error)
}

/**
 * `stale`: the tries are used up, and somebody must create what is missing (a topic). `state`: a new transaction heals
 * it.
 */
const KIND_OF_GIVEN_UP: Readonly<Record<Remedy, ProducerErrorKind>> = {
  none: 'fatal',
  retry: 'retriable',
  stale: 'config',
  coordinator: 'retriable',
  refused: 'data',
  state: 'retriable',
  fenced: 'fatal',
  config: 'config',
  fatal: 'fatal',
}

const ADVICE: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED: '; allow the user Write and Describe on the topic',
  CLUSTER_AUTHORIZATION_FAILED: '; allow the user IdempotentWrite on the cluster',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: '; allow the user Write and Describe on the transactional id',
  INVALID_TRANSACTION_TIMEOUT: "; it must not exceed the broker's transaction.max.timeout.ms",
}
