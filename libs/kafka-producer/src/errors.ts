import { isDenied } from '@tributary/kafka/client'
import {
  ConfigError,
  ConnectError,
  DataError,
  defineErrors,
  type ErrorDefinition,
  FatalError,
  RetriableError,
} from '@tributary/connect-api'
import { type ProtocolError, protocolErrorOf, protocolErrors, type Remedy } from './protocol-errors.ts'

/** The producer's own errors. */
export const producerErrors = defineErrors({
  BROKER_ERROR: {
    type: FatalError,
    doc: "A broker answered with an error code that the producer does not know. The message has the number; see the list of error codes in Kafka's protocol guide.",
  },
  KAFKA_NO_ANSWER: {
    type: RetriableError,
    doc: 'The connection to a broker broke, or no answer came in time. The broker may have acted on the request. The producer asks again.',
  },
  KAFKA_UNREACHABLE: {
    type: RetriableError,
    doc: 'No connection to Kafka could be made. The producer tries again. Check that the brokers run and that their addresses are right.',
  },
  NO_TRANSACTION: {
    type: FatalError,
    doc: 'A transactional producer was used outside of a transaction. This is a bug of the caller.',
  },
  NOT_TRANSACTIONAL: {
    type: FatalError,
    doc: 'A producer without a transactional id was asked for a transaction. This is a bug of the caller.',
  },
  PRODUCE_FAILED: { type: FatalError, doc: 'A request failed in a way that nobody expected; see the cause.' },
  PRODUCER_CLOSED: {
    type: FatalError,
    doc: 'The producer was closed while records were under way, or used after that.',
  },
  PRODUCER_FENCED: {
    type: FatalError,
    doc: 'Another producer took the transactional id over, the transaction timed out, or its end is in doubt. Discard the producer and start a new one, which settles what was left open.',
  },
  PRODUCER_NOT_STARTED: {
    type: FatalError,
    doc: 'A producer was used before its start or after its end. This is a bug of the caller.',
  },
  PRODUCER_STARTED: { type: FatalError, doc: 'A producer was started twice. This is a bug of the caller.' },
  RECORD_TOO_LARGE: {
    type: DataError,
    doc: "A record is above the topic's `max.message.bytes`. Raise that limit, or make the record smaller.",
  },
  SASL_LOGIN_MISSING: {
    type: ConfigError,
    doc: 'A connector asks for SASL with `security.protocol`, and neither it nor the worker has a login. Set `sasl.jaas.config`, or leave `security.protocol` away.',
  },
  TLS_HANDSHAKE_FAILED: {
    type: ConfigError,
    doc: 'TLS with Kafka failed. Check the certificates and the CA.',
  },
  TLS_REQUIRED: { type: ConfigError, doc: 'Kafka speaks TLS on this port, and the producer does not. Switch TLS on.' },
  TRANSACTION_ABORTED: {
    type: RetriableError,
    doc: 'The transaction with the record was aborted. The records are sent again in another transaction.',
  },
  TRANSACTION_OPEN: {
    type: FatalError,
    doc: 'A transaction was begun while another one is open. This is a bug of the caller.',
  },
  UNSUPPORTED_COMPRESSION: {
    type: ConfigError,
    doc: 'The name of the compression is unknown. The message lists the possible ones.',
  },
})

const OUTAGE: ErrorDefinition = {
  type: RetriableError,
  doc: "Kafka's error. The producer sends the request again until Kafka accepts it.",
}
const UNTIL_CHANGED: ErrorDefinition = {
  type: ConfigError,
  doc: "Kafka's error. Nothing but a change of Kafka or of the settings helps; the message says which request was refused.",
}

/** What Kafka's errors mean, by what the producer does after them. */
const BY_REMEDY: Readonly<Record<Remedy, ErrorDefinition>> = {
  none: OUTAGE,
  retry: OUTAGE,
  stale: OUTAGE,
  coordinator: OUTAGE,
  refused: {
    type: DataError,
    doc: "Kafka's error. The broker will never accept this record; the records around it were written.",
  },
  state: {
    type: RetriableError,
    doc: "Kafka's error. The broker lost the producer's sequence numbers. In a transaction the producer aborts; else it goes on with a new epoch (KIP-360).",
  },
  fenced: {
    type: FatalError,
    doc: "Kafka's error. Another producer took the transactional id over, or the transaction timed out.",
  },
  config: UNTIL_CHANGED,
  fatal: { type: FatalError, doc: "Kafka's error. The producer knows no way on; see the broker's log." },
}

/** What a user does about an error of Kafka, for its text and for ERRORS.md. All are of kind config. */
const ADVICE: Readonly<Record<string, string>> = {
  UNKNOWN_TOPIC_OR_PARTITION: 'create the topic: it was deleted, or never created',
  TOPIC_AUTHORIZATION_FAILED: 'allow the user Write and Describe on the topic',
  CLUSTER_AUTHORIZATION_FAILED: 'allow the user IdempotentWrite on the cluster',
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: 'allow the user Write and Describe on the transactional id',
  INVALID_TRANSACTION_TIMEOUT: 'set a timeout that does not exceed `transaction.max.timeout.ms` of the broker',
  SASL_AUTHENTICATION_FAILED: 'check user, password and mechanism',
}

function definitionOf({ name, remedy }: ProtocolError): ErrorDefinition {
  const advice = ADVICE[name]
  if (advice === undefined) return BY_REMEDY[remedy]
  return { type: ConfigError, doc: `Kafka's error. ${advice[0]!.toUpperCase()}${advice.slice(1)}.` }
}

/** Kafka's own errors under Kafka's names (https://kafka.apache.org/protocol#protocol_error_codes). */
export const brokerErrors = defineErrors(
  Object.fromEntries(
    protocolErrors()
      .filter(({ name }) => !(name in producerErrors))
      .map((error) => [error.name, definitionOf(error)]),
  ),
)

/** A broker answered with an error code of the protocol. `protocolErrorOf(code)` says what follows from it. */
export class BrokerError extends Error {
  readonly protocolCode: number
  /** What the broker said, or which right is missing; null for nothing. */
  readonly detail: string | null
  constructor(protocolCode: number, what: string, detail: string | null = null) {
    const { name } = protocolErrorOf(protocolCode)
    super(`${what}: ${name === 'BROKER_ERROR' ? `${name} ${protocolCode}` : name}${detail ? ` (${detail})` : ''}`)
    this.name = 'BrokerError'
    this.protocolCode = protocolCode
    this.detail = detail
  }
}

/**
 * The producer cannot be used any more: another producer took the transactional id over, the coordinator aborted the
 * transaction after its timeout, or the end of a transaction is in doubt.
 */
export function fencedError(why: string, cause?: unknown): FatalError {
  return producerErrors.PRODUCER_FENCED(`${why}; discard this producer and start a new one`, { cause })
}

export function isFenced(error: unknown): error is FatalError {
  return error instanceof ConnectError && error.code === 'PRODUCER_FENCED'
}

/** What to do after anything that a request threw. An unknown error is fatal. */
export function remedyOf(error: unknown): Remedy {
  if (error instanceof BrokerError) return protocolErrorOf(error.protocolCode).remedy
  if (isFenced(error)) return 'fenced'
  if (!(error instanceof ConnectError)) return 'fatal'
  return error.kind === 'retriable' ? 'stale' : error.kind === 'config' ? 'config' : 'fatal'
}

export function isUnreachable(error: unknown): boolean {
  return error instanceof ConnectError && error.code === 'KAFKA_UNREACHABLE'
}

/** The error that the caller gets for a request that will not be tried again. */
export function givenUp(error: unknown, what: string): ConnectError {
  if (error instanceof ConnectError) return error
  if (!(error instanceof BrokerError)) {
    return producerErrors.PRODUCE_FAILED(`${what} failed: ${String(error)}`, { cause: error })
  }
  const { name } = protocolErrorOf(error.protocolCode)
  // The detail of a missing right says more.
  const advice = error.detail === null || !isDenied(name) ? ADVICE[name] : undefined
  return ofKafka(name, `${what} failed: ${error.message}${advice === undefined ? '' : `; ${advice}`}`, error)
}

/** The error for a record that the broker rejects as it is. The records around it were written. `what`: the record, in words. */
export function refusedRecord(error: BrokerError, what: string): DataError {
  const { name } = protocolErrorOf(error.protocolCode)
  if (name === 'MESSAGE_TOO_LARGE' || name === 'RECORD_LIST_TOO_LARGE') {
    return producerErrors.RECORD_TOO_LARGE(`${what} is above the topic's max.message.bytes`, { cause: error })
  }
  return ofKafka(name, `${what} was refused: ${error.message}`, error)
}

/** Kafka refused the login. Both clients report that without the code of the protocol. */
export function refusedLogin(message: string, cause: unknown): ConfigError {
  return ofKafka('SASL_AUTHENTICATION_FAILED', message, cause)
}

function ofKafka(name: string, message: string, cause: unknown): ConnectError {
  const make =
    brokerErrors[name] ?? (name === 'PRODUCER_FENCED' ? producerErrors.PRODUCER_FENCED : producerErrors.BROKER_ERROR)
  return make(message, { cause })
}
