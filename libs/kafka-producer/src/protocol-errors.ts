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

export interface ProtocolError {
  /** Kafka's name of the error, which is its code here too. */
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

/** Never fails: a code that is not in the table is fatal. */
export function protocolErrorOf(code: number): ProtocolError {
  return PROTOCOL_ERRORS.get(code) ?? { name: `BROKER_ERROR`, remedy: 'fatal' }
}

export const UNKNOWN_TOPIC_OR_PARTITION = 3
export const LEADER_NOT_AVAILABLE = 5
export const NETWORK_EXCEPTION = 13
export const COORDINATOR_NOT_AVAILABLE = 15
export const CONCURRENT_TRANSACTIONS = 51

/** The errors of the table, with their remedies. */
export function protocolErrors(): readonly ProtocolError[] {
  return [...PROTOCOL_ERRORS.values()].filter(({ remedy }) => remedy !== 'none')
}
